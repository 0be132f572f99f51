import XenCore
import XenEvtchn
import XenStoreWire

/// What all connections over one store page share: the page and the event channel.
final class StoreLine: Sendable {
    let page: StorePage
    let events: EventChannels
    private let channel: EventChannel
    /// What keeps the page mapped.
    private let owner: (any Sendable)?

    init(
        _ page: StorePage, _ channel: consuming EventChannel, _ events: EventChannels,
        _ owner: (any Sendable)?
    ) {
        self.page = page
        self.channel = channel
        self.events = events
        self.owner = owner
    }

    /// Rings the server.
    func notify() throws(StoreError) {
        do { try channel.notify() } catch { throw Self.lost(error) }
    }

    /// Blocks until the server rings, the deadline has passed or the wait is interrupted.
    func wait(until deadline: Deadline) throws(StoreError) {
        do throws(EventChannelError) {
            if let event = try events.wait(until: deadline) { try event.unmask() }
        } catch { throw Self.lost(error) }
    }

    private static func lost(_ error: EventChannelError) -> StoreError {
        StoreError(.disconnected, "the store's event channel failed: \(error)")
    }
}
