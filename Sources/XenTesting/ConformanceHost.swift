public import XenCore
public import XenEvtchn
public import XenGrant

/// One side of a conformance check: a process in a domain, with its handles freshly opened.
public struct ConformanceParty: Sendable {
    public let domain: DomainID
    public let grants: GrantTable
    public let events: EventChannels
    /// How long to wait for what must happen: enough for an emulated machine under load.
    let patience: Duration
    /// Beneath `grants`, for what its owning handles make impossible.
    let grantBackend: any GrantBackend
    /// Beneath `events`, for what its owning handles make impossible.
    let eventBackend: any EventChannelBackend

    /// - Parameter patience: how long an event may take. Only a check that fails waits so long.
    public init(
        domain: DomainID, grants: any GrantBackend, events: any EventChannelBackend,
        patience: Duration = .seconds(30)
    ) {
        self.domain = domain
        self.grants = GrantTable(grants)
        self.events = EventChannels(events)
        self.patience = patience
        grantBackend = grants
        eventBackend = events
    }
}

/// Where a conformance check runs: two parties, which may be in one and the same domain.
public struct ConformanceHost: Sendable {
    public let left: ConformanceParty
    public let right: ConformanceParty

    public init(left: ConformanceParty, right: ConformanceParty) {
        self.left = left
        self.right = right
    }

    /// A domain that neither party is in, and that does not exist.
    var stranger: DomainID { DomainID(DomainID.firstReserved.rawValue - 1) }
}
