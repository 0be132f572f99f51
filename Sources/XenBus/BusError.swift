/// What ended a device's driver, or an operation on a device.
public struct BusError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure this is. New codes may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// The store refused, failed, or went away.
        public static let store = Code(description: "store")
        /// The device's directory is not there, or lacks a node that the toolstack writes.
        public static let noDevice = Code(description: "no device")
        /// The peer has published something that it may not.
        public static let badPeer = Code(description: "bad peer")
    }

    public let code: Code
    /// What happened to what, and what to do.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(message) (\(code))" }
}
