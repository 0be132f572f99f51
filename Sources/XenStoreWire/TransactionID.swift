/// The server's name for an open transaction, valid on its connection only. Zero means none.
public struct TransactionID: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Outside any transaction.
    public static let none = TransactionID(rawValue: 0)
}

extension TransactionID: CustomStringConvertible {
    public var description: String { "transaction \(rawValue)" }
}
