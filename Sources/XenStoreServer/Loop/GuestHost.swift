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

    public init(grants: GrantTable, events: EventChannels) {
        self.grants = grants
        self.events = events
    }
}
