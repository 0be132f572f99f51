/// The index of a grant in the granting domain's grant table: what a domain tells its peer.
///
/// References 0 and 1 are reserved for the console and the xenstore.
/// The corresponding Xen type is `grant_ref_t` (xen/include/public/grant_table.h).
@frozen
public struct GrantReference: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension GrantReference: CustomStringConvertible {
    public var description: String { "grant reference \(rawValue)" }
}
