import XenCore

/// Where a conformance check runs: two parties, in one domain or in two.
///
/// Some checks use the left party's event thread or descriptor, so it is in this process. The right party may be
/// anywhere.
public struct ConformanceHost: Sendable {
    public let left: ConformanceParty
    public let right: ConformanceParty

    public init(left: ConformanceParty, right: ConformanceParty) {
        self.left = left
        self.right = right
    }

    /// How often to do what is to hold each time: `count`, or fewer with a party for which that takes too long.
    func rounds(_ count: Int) -> Int { min(count, left.roundLimit, right.roundLimit) }

    /// A domain that neither party is in, and that does not exist.
    var stranger: DomainID { DomainID(DomainID.firstReserved.rawValue - 1) }
}
