import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Something that ends another thread's wait: an eventfd to put beside the descriptors it polls.
package struct Wakeup: ~Copyable, Sendable {
    private let owned: OwnedDescriptor

    package init() throws(SystemFailure) {
        let raw = csystem_eventfd()
        guard raw >= 0 else { throw SystemFailure("eventfd") }
        owned = OwnedDescriptor(adopting: raw)
    }

    package var descriptor: Int32 { owned.rawValue }

    /// Makes the descriptor readable until `reset`. Callable from any thread.
    package func signal() {
        var one: UInt64 = 1
        // Safe: eight private bytes, as eventfd(2) asks. A full counter is still readable.
        _ = unsafe write(owned.rawValue, &one, 8)
    }

    /// Takes the signal back.
    package func reset() {
        var count: UInt64 = 0
        // Safe: eight private bytes, as eventfd(2) asks.
        _ = unsafe read(owned.rawValue, &count, 8)
    }
}
