import XenCore
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension SharedMemory {
    /// Whether the first byte may be written. If so, it is zero afterwards.
    ///
    /// The kernel is asked to write it: where that is forbidden it answers EFAULT, and nothing crashes.
    func isWritable() throws -> Bool {
        let zeros = try OwnedDescriptor(opening: "/dev/zero", flags: O_RDONLY)
        // Safe: one byte, within these pages; whether it may be written is the question.
        if unsafe read(zeros.rawValue, baseAddress, 1) == 1 { return true }
        let failure = SystemFailure("read(/dev/zero)")
        guard failure.errorNumber == .badAddress else { throw failure }
        return false
    }
}
