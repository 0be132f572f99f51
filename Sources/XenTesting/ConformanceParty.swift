public import XenCore
public import XenEvtchn
public import XenGrant

/// One side of a conformance check: a process in a domain, with its handles freshly opened.
///
/// The process may be another one, in a domain of its own: then its back ends carry each call there, and
/// its `pages` carry the bytes.
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
    let roundLimit: Int
    let pages: any PageAccess
    let holdings: PartyHoldings

    /// - Parameters:
    ///   - patience: how long an event may take. Only a check that fails waits so long.
    ///   - roundLimit: the most rounds of what checks do many times, 1 or more: for a party to which a call
    ///     takes long.
    ///   - pages: how checks get at the party's memory; directly, unless it is in another process.
    public init(
        domain: DomainID, grants: any GrantBackend, events: any EventChannelBackend,
        patience: Duration = .seconds(30), roundLimit: Int = .max,
        pages: any PageAccess = LocalPages()
    ) {
        let holdings = PartyHoldings()
        grantBackend = CountedGrants(grants, holdings)
        eventBackend = CountedEventChannels(events, holdings)
        self.domain = domain
        self.grants = GrantTable(grantBackend)
        self.events = EventChannels(eventBackend)
        self.patience = patience
        self.roundLimit = roundLimit
        self.pages = pages
        self.holdings = holdings
    }
}
