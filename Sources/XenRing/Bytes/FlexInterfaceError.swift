/// Why a front's interface page cannot be attached to: it is no ring, and nothing was mapped.
public struct FlexInterfaceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure this is. New codes may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// The order is none that the protocol allows, or none that the back offered.
        public static let impossibleOrder = Code(description: "impossible order")
    }

    public let code: Code

    /// What the front wrote, and what to do.
    public let message: String

    static func impossibleOrder(
        _ order: UInt32, largest: Int, _ kind: FlexInterface.Kind
    ) -> FlexInterfaceError {
        FlexInterfaceError(
            code: .impossibleOrder,
            message:
                "the front's \(kind) ring has order \(order) where 1 to \(largest) can be; refuse the connection"
        )
    }

    public var description: String { "\(message) (\(code))" }
}
