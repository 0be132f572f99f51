/// One life of a connection: it begins when both ends agree, and ends when either restarts, resumes or dies.
///
/// Requests, watch tokens and ring messages carry the epoch in which they were made.
/// What arrives from an older epoch is dropped and counted, never delivered.
@frozen
public struct Epoch: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Before the first connection.
    public static let none = Epoch(rawValue: 0)

    /// The epoch that follows this one.
    public var next: Epoch { Epoch(rawValue: rawValue &+ 1) }

    @inlinable
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension Epoch: CustomStringConvertible {
    public var description: String { "epoch \(rawValue)" }
}
