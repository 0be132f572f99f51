package import XenCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A system call that failed: which, and with what errno, read at once.
package struct SystemFailure: Error, CustomStringConvertible {
    package let call: String
    package let errorNumber: ErrorNumber

    package init(_ call: String, _ errorNumber: ErrorNumber = .current) {
        self.call = call
        self.errorNumber = errorNumber
    }

    package var description: String { "\(call): \(errorNumber)" }
}

extension ErrorNumber {
    /// This thread's `errno`. Read it before anything else can change it.
    package static var current: ErrorNumber { ErrorNumber(rawValue: errno) }
}
