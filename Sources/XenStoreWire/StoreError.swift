/// What went wrong with the store: the server's, the peer's or the kernel's doing, never the caller's bug.
public struct StoreError: Error, Hashable, Sendable {
    /// What kind of failure this is. New codes may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// The server refused the request; `name` says why.
        public static let refused = Code(description: "refused")
        /// The path has a forbidden character or length.
        public static let invalidPath = Code(description: "invalid path")
        /// The request does not fit a packet.
        public static let tooLong = Code(description: "too long")
        /// The other side broke the protocol.
        public static let protocolViolation = Code(description: "protocol violation")
        /// No server could be reached.
        public static let unavailable = Code(description: "unavailable")
        /// The connection is gone; whether an unanswered request was carried out is unknown.
        public static let disconnected = Code(description: "disconnected")
        /// The connection was lost after the request was sent, so it may or may not have been carried out.
        public static let outcomeUnknown = Code(description: "outcome unknown")
        /// The deadline has passed; whether the request was carried out is unknown.
        public static let timedOut = Code(description: "timed out")
        /// The task was cancelled; whether the request was carried out is unknown.
        public static let cancelled = Code(description: "cancelled")
        /// A transaction met conflicts in each of its attempts.
        public static let conflict = Code(description: "conflict")
        /// A bound of this library was reached.
        public static let limitReached = Code(description: "limit reached")
    }

    public let code: Code

    /// The server's word for it, when there is one.
    public let name: StoreErrorName?

    /// What happened to what, and what to do.
    public let message: String

    public init(_ code: Code, name: StoreErrorName? = nil, _ message: String) {
        self.code = code
        self.name = name
        self.message = message
    }
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        name.map { "\(message) (\(code), \($0))" } ?? "\(message) (\(code))"
    }
}
