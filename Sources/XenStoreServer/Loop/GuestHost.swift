public import XenEvtchn
public import XenGrant

/// What a server needs in order to serve guests' rings: the way to their pages and to their ports.
///
///     let host = GuestHost(grants: try GrantTable.open(), events: try EventChannels.open())
///     let server = try StoreServer(guests: host)
///
/// The event channels are the server's alone: it takes every event that comes.
public struct GuestHost: Sendable {
    public let grants: GrantTable
    public let events: EventChannels
    /// A ring whose guest does not notify us is looked at no later than this.
    public let checkPeriod: Duration

    public init(grants: GrantTable, events: EventChannels, checkPeriod: Duration = .seconds(20)) {
        self.grants = grants
        self.events = events
        self.checkPeriod = checkPeriod
    }
}
