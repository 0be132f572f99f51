import MockStage
import Testing
import XenCore
import XenEvtchn
import XenMock

/// Security advisories of Xen that concern event channels, one test each. What a handle's user is spared.
@Suite struct EventAdvisoryTests: OnMockStage {
    let stage = MockStage()
    let events: EventChannels

    init() {
        events = EventChannels(stage.back.events)
    }

    /// A channel of dom0's to a new port of a guest's, quiet.
    private struct Connection: ~Copyable {
        let guestPort: EventPort
        let channel: EventChannel
    }

    private func connect(_ process: MockProcess) throws -> Connection {
        let port = try process.events.bindUnbound(for: .dom0)
        let channel = try events.bindInterdomain(to: port, of: process.domain.id)
        let first = try events.wait(until: .now)?.port
        #expect(first == channel.port)
        return Connection(guestPort: port, channel: channel)
    }

    @Test("XSA-332: a peer that rings without end costs one event until its port is rearmed")
    func storm() throws {
        let loud = try connect(front)
        let quiet = try connect(front)
        let port = loud.guestPort
        for _ in 0..<100_000 { try front.events.notify(port) }
        try front.events.notify(quiet.guestPort)
        guard let first = try events.wait(until: .now) else {
            throw Silence()
        }
        #expect(first.port == loud.channel.port)
        for _ in 0..<1000 { try front.events.notify(port) }
        // Others get their turn, and while the port is not rearmed there is nothing more of it.
        #expect(try events.wait(until: .now)?.port == quiet.channel.port)
        #expect(try events.wait(until: .now)?.port == nil)
        try first.unmask()
        #expect(try events.wait(until: .now)?.port == loud.channel.port)
        #expect(try events.wait(until: .now)?.port == nil)
    }

    @Test("XSA-332: whoever rings all the time comes after those who have waited")
    func stormTakesTurns() throws {
        let loud = try connect(front)
        let others = try (0..<4).map { _ in try front.events.bindUnbound(for: .dom0) }
        let bound = try others.map { try back.events.bindInterdomain(to: $0, of: guest.id) }
        while let event = try events.wait(until: .now) { try event.unmask() }
        var order: [EventPort] = []
        try front.events.notify(loud.guestPort)
        for port in others { try front.events.notify(port) }
        for _ in 0..<6 {
            guard let event = try events.wait(until: .now) else {
                throw Silence()
            }
            order.append(event.port)
            try event.unmask()
            try front.events.notify(loud.guestPort)
        }
        #expect(order == [loud.channel.port] + bound + [loud.channel.port])
    }

    @Test("XSA-391: a peer that has asked for too much is masked, and loses nothing")
    func maskedStorm() throws {
        let loud = try connect(front)
        let port = loud.guestPort
        try front.events.notify(port)
        guard let event = try events.wait(until: .now) else {
            throw Silence()
        }
        try loud.channel.mask()
        try event.unmask()
        for _ in 0..<100_000 { try front.events.notify(port) }
        #expect(try events.wait(until: .now)?.port == nil)
        try loud.channel.unmask()
        #expect(try events.wait(until: .now)?.port == loud.channel.port)
        #expect(try events.wait(until: .now)?.port == nil)
    }

    @Test("XSA-322: the last event of a dead domain's port is not delivered to its successor's")
    func lastEventOfADeadDomain() throws {
        let number: EventPort
        do {
            let dead = try connect(front)
            number = dead.channel.port
            try front.events.notify(dead.guestPort)
            hypervisor.destroy(guest)
        }
        let successor = hypervisor.domain(guest.id).startProcess(name: "successor")
        let theirs = try connect(successor)
        #expect(theirs.channel.port == number)
        #expect(try events.wait(until: .now)?.port == nil)
    }

    @Test("XSA-417: a successor with the same domain id inherits no port of its predecessor's")
    func portsOfADeadDomain() throws {
        let mine = try front.events.bindUnbound(for: .dom0)
        let dead = try connect(front)
        let open = try events.bindUnbound(for: guest.id)
        try front.events.notify(front.events.bindInterdomain(to: open.port, of: .dom0))
        hypervisor.destroy(guest)
        let heir = hypervisor.domain(guest.id)
        let successor = heir.startProcess(name: "successor")
        // Neither its predecessor's number works for it, nor is it rung through its predecessor's channel.
        #expect(throws: EventChannelError.self) { try successor.events.notify(mine) }
        let own = try (0..<4).map { _ in try successor.events.bindUnbound(for: .dom0) }
        #expect(own.first == mine)
        try dead.channel.notify()
        try open.notify()
        #expect(try successor.events.nextPending(until: .now) == nil)
        // A dead process's handle is dead under any tenant of the id.
        #expect(throws: EventChannelError.self) { try front.events.notify(mine) }
        #expect(throws: EventChannelError.self) { try front.events.unbind(mine) }
    }

    @Test("XSA-419: a port that was closed at its peer's death is not bound to by the successor")
    func closedPort() throws {
        let open = try events.bindUnbound(for: guest.id)
        let number = open.port
        hypervisor.destroy(guest)
        // Xen lets the successor bind for as long as the port is open: it knows the id alone. So it is closed.
        try open.close()
        let successor = hypervisor.domain(guest.id).startProcess(name: "successor")
        let error = try #require(throws: EventChannelError.self) {
            try successor.events.bindInterdomain(to: number, of: .dom0)
        }
        #expect(error.code == .badRemotePort)
        #expect(try events.wait(until: .now)?.port == nil)
    }

    @Test(
        "XSA-483: an interrupt that a dead domain had bound is the successor's to bind, and rings it alone"
    )
    func interruptOfADeadDomain() throws {
        _ = try front.events.bindVirtualInterrupt(.argo)
        hypervisor.destroy(guest)
        let heir = hypervisor.domain(guest.id)
        let successor = heir.startProcess(name: "successor")
        #expect(!heir.raise(.argo))
        let port = try successor.events.bindVirtualInterrupt(.argo)
        #expect(!guest.raise(.argo))
        #expect(try successor.events.nextPending(until: .now) == nil)
        #expect(heir.raise(.argo))
        #expect(try successor.events.nextPending(until: .now) == port)
    }
}
