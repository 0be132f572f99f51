import Synchronization
import XenCore
import XenEvtchn
import XenMock
import XenSystem

/// Two processes in two domains of the mock; the event thread waits for the left one.
struct EventThreadStage: Sendable {
    let hypervisor = MockHypervisor()
    let left: MockProcess
    let right: MockProcess

    init(left: DomainID = .dom0, right: DomainID = DomainID(7)) {
        self.left = hypervisor.domain(left).startProcess(name: "left")
        self.right = hypervisor.domain(right).startProcess(name: "right")
    }

    var leftEvents: EventChannels { EventChannels(left.events) }
    var rightEvents: EventChannels { EventChannels(right.events) }

    /// Both ends of a channel; the left one is to be served.
    func channel() throws -> Pair { try channel(on: leftEvents) }

    /// The same, with the left end on another handle of the left domain.
    func channel(on events: EventChannels) throws -> Pair {
        let near = try events.bindUnbound(for: right.domain.id)
        let far = try rightEvents.bindInterdomain(to: near.port, of: left.domain.id)
        return Pair(left: near, right: Ringer(far))
    }

    /// A left end that nobody can ring.
    func unboundChannel() throws -> EventChannel {
        try leftEvents.bindUnbound(for: right.domain.id)
    }

    struct Pair: ~Copyable {
        let left: EventChannel
        let right: Ringer
    }

    /// The right end, to be rung from any thread.
    final class Ringer: Sendable {
        private let channel: EventChannel
        init(_ channel: consuming EventChannel) { self.channel = channel }
        func notify() throws { try channel.notify() }
    }
}

/// What must happen, does by then.
var patience: Deadline { .after(.seconds(30)) }

/// Blocks until the condition holds; false when it never did.
func eventually(
    every interval: Duration = .milliseconds(1), _ condition: () throws -> Bool
) rethrows -> Bool {
    let deadline = patience
    while try !condition() {
        if deadline.hasPassed { return false }
        try? pause(interval)
    }
    return true
}
