import XenCore

/// Which domain has an id now: ids are used again.
struct Incarnations: Sendable {
    /// How many domains with an id have gone.
    private var predecessors: [DomainID: UInt32] = [:]

    /// The domain that has this id now.
    func current(_ domain: DomainID) -> Incarnation {
        Incarnation(domain: domain, number: predecessors[domain] ?? 0)
    }

    /// Whether the domain that somebody wrote of is the one that has the id now.
    func isAlive(_ incarnation: Incarnation) -> Bool {
        incarnation.domain == .dom0 || incarnation == current(incarnation.domain)
    }

    /// From here on nothing that was written of the domain counts for whoever gets its id next.
    mutating func end(_ domain: DomainID) { predecessors[domain, default: 0] += 1 }
}
