/// The number by which the hypervisor knows a domain.
///
/// Ids are reused after a domain ends: whatever must tell one tenant from the next keys by id and generation.
/// The corresponding Xen type is `domid_t` (xen/include/public/xen.h).
@frozen
public struct DomainID: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable
    public init(_ rawValue: UInt16) { self.rawValue = rawValue }

    /// The control domain.
    public static let dom0 = DomainID(0)

    /// The first id that no domain can have (`DOMID_FIRST_RESERVED`): guests are numbered below it.
    public static let firstReserved = DomainID(0x7FF0)

    /// The domain that asks (`DOMID_SELF`).
    public static let oneself = DomainID(0x7FF0)

    /// Any domain (`DOMID_ANY`).
    public static let any = DomainID(0x7FF5)

    @inlinable
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension DomainID: CustomStringConvertible {
    public var description: String { "domain \(rawValue)" }
}
