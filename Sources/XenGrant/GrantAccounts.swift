public import XenCore

/// What a `GrantTable` shares with whom and maps from whom, since when, at one moment.
///
///     print(grants.accounts)
///
/// A domain is known by its id alone: one that has come to a destroyed domain's id stands in the same line.
public struct GrantAccounts: Hashable, Sendable {
    /// When this was so.
    public let moment: ContinuousClock.Instant
    /// All that is granted and not revoked, oldest first, with what is in quarantine.
    public let shares: [Share]
    /// All that is mapped, oldest first.
    public let mappings: [Mapping]
    /// Shares that could not be revoked when they should have been, since the table was made.
    public let refusedRevocationCount: Int

    package init(
        moment: ContinuousClock.Instant, shares: [Share], mappings: [Mapping],
        refusedRevocationCount: Int
    ) {
        self.moment = moment
        self.shares = shares
        self.mappings = mappings
        self.refusedRevocationCount = refusedRevocationCount
    }

    /// What we have let go of and cannot revoke yet, oldest first.
    public var quarantine: [Share] { shares.filter(\.isQuarantined) }

    /// The pages of all peers together.
    public var total: GrantPageCounts {
        var counts = GrantPageCounts.none
        for share in shares { counts.add(share) }
        for mapping in mappings { counts.mapped += mapping.pages.count }
        return counts
    }

    /// The pages of each peer. One that has none is not listed.
    public var totalsByPeer: [DomainID: GrantPageCounts] {
        var peers: [DomainID: GrantPageCounts] = [:]
        for share in shares { peers[share.peer, default: .none].add(share) }
        for page in mappings.lazy.flatMap(\.pages) {
            peers[page.domain, default: .none].mapped += 1
        }
        return peers
    }
}

extension GrantAccounts {
    /// Pages of ours that were granted together.
    public struct Share: Hashable, Sendable {
        /// Who may map them.
        public let peer: DomainID
        public let references: [GrantReference]
        public let access: GrantAccess
        /// When they were granted.
        public let since: ContinuousClock.Instant
        /// Why they are still granted although we asked to revoke them.
        public internal(set) var refusal: Refusal?
        /// Whether we have let go of them. Nobody gets them before they are revoked.
        public internal(set) var isQuarantined: Bool

        package init(
            peer: DomainID, references: [GrantReference], access: GrantAccess,
            since: ContinuousClock.Instant, refusal: Refusal? = nil, isQuarantined: Bool = false
        ) {
            self.peer = peer
            self.references = references
            self.access = access
            self.since = since
            self.refusal = refusal
            self.isQuarantined = isQuarantined
        }
    }

    /// A revocation that failed: as a rule because the peer still maps a page (XSA-396).
    public struct Refusal: Hashable, Sendable {
        /// When it failed first.
        public let since: ContinuousClock.Instant
        /// How often it has failed.
        public internal(set) var attemptCount: Int
        /// What the last attempt said.
        public internal(set) var reason: GrantError

        package init(since: ContinuousClock.Instant, attemptCount: Int, reason: GrantError) {
            self.since = since
            self.attemptCount = attemptCount
            self.reason = reason
        }
    }

    /// Pages of peers that were mapped together.
    public struct Mapping: Hashable, Sendable {
        public let pages: [GrantedPage]
        public let access: GrantAccess
        /// When they were mapped.
        public let since: ContinuousClock.Instant

        package init(pages: [GrantedPage], access: GrantAccess, since: ContinuousClock.Instant) {
            self.pages = pages
            self.access = access
            self.since = since
        }
    }
}

extension GrantPageCounts {
    fileprivate mutating func add(_ share: GrantAccounts.Share) {
        shared += share.references.count
        if share.isQuarantined { quarantined += share.references.count }
    }
}
