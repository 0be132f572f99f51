public import XenCore

/// Why nothing can be learnt of a domain.
public struct DomainError: Error, Hashable, Sendable {
    /// What kind of failure this is. New codes may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// The device or library is missing or may not be opened, or does not fit the hypervisor.
        public static let unavailable = Code(description: "unavailable")
        /// This domain may not ask about others.
        public static let notPermitted = Code(description: "not permitted")
        /// Anything else that the kernel or hypervisor refused.
        public static let refused = Code(description: "refused")
    }

    public let code: Code

    /// The kernel's or hypervisor's word for it, when there is one.
    public let errorNumber: ErrorNumber?

    /// What happened to what, and what to do.
    public let message: String

    public init(_ code: Code, errorNumber: ErrorNumber? = nil, _ message: String) {
        self.code = code
        self.errorNumber = errorNumber
        self.message = message
    }
}

extension DomainError: CustomStringConvertible {
    public var description: String {
        errorNumber.map { "\(message) (\(code), \($0))" } ?? "\(message) (\(code))"
    }
}
