public import XenDomain
public import XenEvtchn
public import XenGrant

/// What a server needs in order to serve guests' rings: the way to their pages and to their ports.
///
///     let host = GuestHost(
///         grants: try .open(), events: try .open(), domains: try LibXenDomains())
///     let server = try StoreServer(guests: host)
///
/// The event channels are the server's alone: it takes every event that comes.
public struct GuestHost: Sendable {
    public let grants: GrantTable
    public let events: EventChannels
    /// Whom to ask whether a domain with a ring lives, when the virtual interrupt `.domainException` says that something
    /// has happened.
    /// Nil: the server forgets a domain when it is told to, and not before.
    public let domains: (any DomainBackend)?
    /// A ring whose guest does not notify us is looked at no later than this.
    public let checkPeriod: Duration

    public init(
        grants: GrantTable, events: EventChannels, domains: (any DomainBackend)? = nil,
        checkPeriod: Duration = .seconds(20)
    ) {
        self.grants = grants
        self.events = events
        self.domains = domains
        self.checkPeriod = checkPeriod
    }
}
