public import XenCore

/// What went wrong with an event channel: the peer's doing or the kernel's, never the caller's bug.
public struct EventChannelError: Error, Hashable, Sendable {
    /// What kind of failure this is. New codes may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// The device or library is missing or may not be opened.
        public static let unavailable = Code(description: "unavailable")
        /// The port is not ours, or not bound (any more).
        public static let badPort = Code(description: "bad port")
        /// The remote port does not exist, or waits for another domain.
        public static let badRemotePort = Code(description: "bad remote port")
        /// The virtual interrupt has a port already (EEXIST).
        public static let alreadyBound = Code(description: "already bound")
        /// Another domain handles this global interrupt (EBUSY).
        public static let handledElsewhere = Code(description: "handled elsewhere")
        /// This domain, process or restricted handle may not do that (EPERM, EACCES).
        public static let notPermitted = Code(description: "not permitted")
        /// The domain was resumed or restored since: the port is gone, and its number may be another's.
        public static let stale = Code(description: "stale")
        /// There are no more ports.
        public static let limitReached = Code(description: "limit reached")
        /// Events came faster than they were read; the device was reset.
        public static let overflow = Code(description: "overflow")
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

extension EventChannelError {
    /// A call on a handle whose epoch is over.
    package static func ended(_ epoch: Epoch) -> EventChannelError {
        EventChannelError(
            .stale,
            "the domain was resumed after \(epoch), and this port or handle is gone: "
                + "use the handle that afterResume() returned")
    }
}

extension EventChannelError: CustomStringConvertible {
    public var description: String {
        errorNumber.map { "\(message) (\(code), \($0))" } ?? "\(message) (\(code))"
    }
}
