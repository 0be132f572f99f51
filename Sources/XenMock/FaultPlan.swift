import Synchronization
import XenCore

/// The faults that a test wants, and who decides when one happens.
final class FaultPlan: Sendable {
    private let faults: MockFaults
    private let decide: @Sendable (MockFault, Double) -> Bool

    init(_ faults: MockFaults, _ decide: @escaping @Sendable (MockFault, Double) -> Bool) {
        self.faults = faults
        self.decide = decide
    }

    func strikes(_ fault: MockFault) -> Bool {
        let probability = faults[fault]
        return probability > 0 && decide(fault, probability)
    }
}

/// Decides faults by seed.
final class FaultDice: Sendable {
    private let random: Mutex<SplitMix>

    init(seed: UInt64) { random = Mutex(SplitMix(seed: seed)) }

    func happen(_ probability: Double) -> Bool {
        Double(random.withLock { $0.next() } >> 11) < probability * 0x1p53
    }
}

/// Notifications that were sent and have not arrived, oldest first. Guarded by `MockHypervisor`'s lock.
final class NotificationsUnderWay: @unchecked Sendable {
    private struct Notification {
        let domain: DomainID
        let port: EventPort
        /// The port as it was then: its number may have been given to another since.
        let state: PortState
    }

    private var notifications: [Notification] = []

    var count: Int { notifications.count }

    func contains(_ state: PortState) -> Bool { notifications.contains { $0.state === state } }

    func add(_ port: EventPort, of domain: DomainID, _ state: PortState) {
        notifications.append(Notification(domain: domain, port: port, state: state))
    }

    /// Takes the oldest; `state` is what its port was.
    func next() -> (domain: DomainID, port: EventPort, state: PortState)? {
        guard !notifications.isEmpty else { return nil }
        let first = notifications.removeFirst()
        return (first.domain, first.port, first.state)
    }
}
