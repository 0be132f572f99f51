import XenCore
import XenStoreWire

/// What the core knows of a domain.
struct DomainRecord: Sendable {
    /// The server talks to it: INTRODUCE, or the embedding program said so.
    var isIntroduced = false
    /// It has shut down, which `@releaseDomain` has told; until RESUME it is not told again.
    var hasShutDown = false
    var target: Incarnation?
    var features: ServerFeatures = .all
    var quota: StoreQuota
    var watches = 0
    var transactions = 0
    /// Bytes of its watches and open transactions.
    var ownMemory = 0
    /// Bytes of nodes that it has replaced or removed, as `StoreTree.retiredByteCount` counts them.
    var retiredByteCount = 0
    /// The same at the start of its oldest open transaction, or before.
    var heldFrom = 0
    /// The most that it has had of everything.
    var peak = Usage()
    var credit = ConflictCredit()
    var exceedsSoftMemory = false

    init(quota: StoreQuota) { self.quota = quota }
}

extension ServerFeatures {
    /// What this server offers.
    static let all: ServerFeatures = [.reconnection, .error, .watchDepth, .anyDomain]
}
