import DequeModule
import XenCore

/// Notifications that were sent and have not arrived, oldest first. Guarded by `MockHypervisor`'s lock.
final class NotificationsUnderWay: @unchecked Sendable {
    struct Notification {
        let domain: DomainID
        let port: EventPort
        /// The port as it was then: its number may have been given to another since.
        let state: PortState
    }

    private var notifications: Deque<Notification> = []

    var count: Int { notifications.count }

    func contains(_ state: PortState) -> Bool { notifications.contains { $0.state === state } }

    func add(_ notification: Notification) { notifications.append(notification) }

    /// Takes the oldest.
    func next() -> Notification? { notifications.popFirst() }
}
