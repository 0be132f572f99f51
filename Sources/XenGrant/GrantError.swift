public import XenCore

/// What went wrong with a grant: the peer's doing or the kernel's, never the caller's bug.
public struct GrantError: Error, Hashable, Sendable {
    /// What kind of failure this is. New codes may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// The device or library is missing or may not be opened.
        public static let unavailable = Code(description: "unavailable")
        /// The peer has no such grant, has revoked it, or made it for another domain or for reading
        /// only. Linux has one answer to all of these, EINVAL.
        public static let badReference = Code(description: "bad reference")
        /// The peer still maps the grant: its pages must not be reused.
        public static let inUse = Code(description: "in use")
        /// A limit on grants, mappings or memory was reached.
        public static let limitReached = Code(description: "limit reached")
        /// The mapping or share is not there (any more).
        public static let notFound = Code(description: "not found")
        /// The hypervisor asks to try again later.
        public static let again = Code(description: "try again")
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

extension GrantError: CustomStringConvertible {
    public var description: String {
        errorNumber.map { "\(message) (\(code), \($0))" } ?? "\(message) (\(code))"
    }
}
