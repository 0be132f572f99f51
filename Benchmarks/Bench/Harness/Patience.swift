#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Spins for a while after looks in vain, then lets another thread have the processor, as the C twins do.
struct Patience {
    private var idle = 0

    @inline(__always)
    mutating func spent(hasWorked: Bool) {
        idle = hasWorked ? 0 : idle &+ 1
        guard idle == 1000 else { return }
        sched_yield()
        idle = 0
    }
}
