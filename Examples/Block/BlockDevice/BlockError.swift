/// Why a frontend's request failed.
public struct BlockError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure this is. New codes may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// The backend answered with an error.
        public static let failed = Code(description: "failed")
        /// The backend does not know this operation.
        public static let notSupported = Code(description: "not supported")
        /// No answer came within the deadline. A write may or may not have been carried out.
        public static let timedOut = Code(description: "timed out")
        /// The frontend was closed.
        public static let closed = Code(description: "closed")
        /// The backend broke the protocol.
        public static let badBackend = Code(description: "bad backend")
    }

    public let code: Code
    /// What happened to what, and what to do.
    public let message: String

    public var description: String { "\(message) (\(code))" }
}
