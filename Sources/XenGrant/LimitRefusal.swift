import XenCore

/// Which of a `GrantTable`'s own limits forbids something.
struct LimitRefusal {
    let message: String

    /// Nil while there is room.
    init?(_ verb: String, _ held: Int, _ more: Int, _ limit: Int, of peer: DomainID? = nil) {
        guard more > limit - held else { return nil }
        message =
            "this table's limit of \(limit) \(verb) pages for \(Self.name(peer)): "
            + "\(held) are \(verb), no room for \(more) more"
    }

    /// Nil while no more are in quarantine than may be.
    init?(quarantined held: Int, _ limit: Int, of peer: DomainID? = nil) {
        guard held > limit else { return nil }
        message =
            "this table's limit of \(limit) quarantined pages for \(Self.name(peer)): "
            + "\(held) cannot be revoked, and nothing more is shared until they are"
    }

    private static func name(_ peer: DomainID?) -> String {
        peer.map { "\($0)" } ?? "all peers"
    }

    var error: GrantError { GrantError(.limitReached, message) }
}
