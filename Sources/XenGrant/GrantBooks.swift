import DequeModule
import XenCore

/// What a grant table holds, and what it may hold. A value: no back end, no clock.
///
/// Pages are booked before the kernel is asked, so that two threads cannot pass a limit together. No step costs
/// more than the pages that it is about.
struct GrantBooks: Sendable {
    struct ShareEntry: Sendable {
        let raw: RawShare
        var account: GrantAccounts.Share
    }

    let limits: GrantLimits
    private(set) var total = GrantPageCounts.none
    private var peers: [DomainID: GrantPageCounts] = [:]
    private var shares: [UInt64: ShareEntry] = [:]
    private var mappings: [UInt64: GrantAccounts.Mapping] = [:]
    /// The shares in quarantine, the one to try next first. One that is being tried is not here.
    private var waiting: Deque<UInt64> = []
    private var refusedRevocationCount = 0
    private var lastID: UInt64 = 0

    init(limits: GrantLimits) { self.limits = limits }

    func accounts(at moment: ContinuousClock.Instant) -> GrantAccounts {
        GrantAccounts(
            moment: moment,
            shares: shares.sorted { $0.key < $1.key }.map(\.value.account),
            mappings: mappings.sorted { $0.key < $1.key }.map(\.value),
            refusedRevocationCount: refusedRevocationCount)
    }

    private mutating func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// Changes the counts of a peer and of all. A peer that has nothing is forgotten.
    private mutating func count(
        _ kind: WritableKeyPath<GrantPageCounts, Int>, _ change: Int, of peer: DomainID
    ) {
        total[keyPath: kind] += change
        var counts = peers[peer] ?? .none
        counts[keyPath: kind] += change
        peers[peer] = counts == .none ? nil : counts
    }
}

// Shares.
extension GrantBooks {
    /// Counts pages that are about to be shared, unless a limit says no.
    mutating func reserveShare(_ pageCount: Int, with peer: DomainID) -> LimitRefusal? {
        let held = peers[peer] ?? .none
        let refusal =
            LimitRefusal(quarantined: total.quarantined, limits.total.quarantined)
            ?? LimitRefusal(quarantined: held.quarantined, limits.perPeer.quarantined, of: peer)
            ?? LimitRefusal("shared", total.shared, pageCount, limits.total.shared)
            ?? LimitRefusal("shared", held.shared, pageCount, limits.perPeer.shared, of: peer)
        if refusal == nil { count(\.shared, pageCount, of: peer) }
        return refusal
    }

    mutating func cancelShare(_ pageCount: Int, with peer: DomainID) {
        count(\.shared, -pageCount, of: peer)
    }

    /// Enters pages that were reserved.
    mutating func enter(_ raw: RawShare, _ account: GrantAccounts.Share) -> UInt64 {
        let id = nextID()
        shares[id] = ShareEntry(raw: raw, account: account)
        return id
    }

    func share(_ id: UInt64) -> RawShare? { shares[id]?.raw }

    /// Strikes out a share that is revoked, or gone with its handle.
    mutating func remove(share id: UInt64) -> GrantAccounts.Share? {
        guard let account = shares.removeValue(forKey: id)?.account else { return nil }
        count(\.shared, -account.references.count, of: account.peer)
        if account.isQuarantined {
            count(\.quarantined, -account.references.count, of: account.peer)
        }
        return account
    }

    /// Notes that a share cannot be revoked.
    ///
    /// - Parameter isLetGo: its owner has gone, so that it is ours to try again.
    /// - Returns: the share, if this is the first time.
    mutating func refuse(
        share id: UInt64, _ reason: GrantError, at moment: ContinuousClock.Instant, isLetGo: Bool
    ) -> GrantAccounts.Share? {
        guard var entry = shares[id] else { return nil }
        let isFirst = entry.account.refusal == nil
        var refusal =
            entry.account.refusal
            ?? GrantAccounts.Refusal(since: moment, attemptCount: 0, reason: reason)
        refusal.attemptCount += 1
        refusal.reason = reason
        entry.account.refusal = refusal
        if isFirst { refusedRevocationCount += 1 }
        if isLetGo {
            waiting.append(id)
            if !entry.account.isQuarantined {
                entry.account.isQuarantined = true
                count(\.quarantined, entry.account.references.count, of: entry.account.peer)
            }
        }
        shares[id] = entry
        return isFirst ? entry.account : nil
    }

    /// Takes the shares to try out of the quarantine. Each is removed or refused again afterwards.
    mutating func takeWaiting(_ limit: Int) -> [UInt64] {
        let taken = Array(waiting.prefix(limit))
        waiting.removeFirst(taken.count)
        return taken
    }
}

// Mappings.
extension GrantBooks {
    /// Counts pages that are about to be mapped, unless a limit says no.
    mutating func reserveMapping(_ pages: [GrantedPage]) -> LimitRefusal? {
        if let refusal = LimitRefusal("mapped", total.mapped, pages.count, limits.total.mapped) {
            return refusal
        }
        let counts = Dictionary(pages.map { ($0.domain, 1) }, uniquingKeysWith: +)
        for (peer, more) in counts {
            let held = peers[peer]?.mapped ?? 0
            if let refusal = LimitRefusal("mapped", held, more, limits.perPeer.mapped, of: peer) {
                return refusal
            }
        }
        for (peer, more) in counts { count(\.mapped, more, of: peer) }
        return nil
    }

    mutating func cancelMapping(_ pages: [GrantedPage]) {
        for page in pages { count(\.mapped, -1, of: page.domain) }
    }

    /// Enters pages that were reserved.
    mutating func enter(_ mapping: GrantAccounts.Mapping) -> UInt64 {
        let id = nextID()
        mappings[id] = mapping
        return id
    }

    /// Strikes out a mapping that is undone, or gone with its handle.
    mutating func remove(mapping id: UInt64) {
        guard let mapping = mappings.removeValue(forKey: id) else { return }
        cancelMapping(mapping.pages)
    }
}
