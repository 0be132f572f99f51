import CEventDevice
import Testing
import XenCore
import XenEvtchn
import XenMock
import XenSystem

/// Two handles in one epoll loop that knows nothing of Xen, and never blocks in a wait for events.
@Suite struct ForeignLoopTests {
    @Test func anEpollLoopLosesNothing() throws {
        let hypervisor = MockHypervisor()
        let guest = hypervisor.domain(DomainID(3)).startProcess(name: "guest")
        let dom0 = hypervisor.domain(.dom0).startProcess(name: "dom0")
        let pairCount = 8
        let rounds = 200
        var ports: [EventPort] = []
        for _ in 0..<pairCount {
            let port = try guest.events.bindUnbound(for: .dom0)
            _ = try dom0.events.bindInterdomain(to: port, of: DomainID(3))
            ports.append(port)
        }
        // The peer answers each ring, in a thread of its own. Each of its ports rings once by itself: the start.
        let echo = dom0.events
        let thread = try PlatformThread {
            for _ in 0..<(pairCount * rounds) {
                guard let port = try? echo.nextPending(until: .after(.seconds(30))) else { return }
                try? echo.rearm(port)
                try? echo.notify(port)
            }
        }

        let loop = OwnedDescriptor(adopting: foreign_loop_open())
        let events = EventChannels(guest.events)
        let descriptor = try events.descriptor
        #expect(foreign_loop_add(loop.rawValue, descriptor) == 0)
        var heard: [EventPort: Int] = [:]
        while heard.values.reduce(0, +) < pairCount * rounds {
            try #require(foreign_loop_wait(loop.rawValue, 30_000) == descriptor)
            // A fair loop stops after a few: what is left keeps the descriptor readable.
            for _ in 0..<3 {
                guard let event = try events.wait(until: .now) else { break }
                let port = event.port
                try event.unmask()
                heard[port, default: 0] += 1
                if heard[port, default: 0] < rounds { try guest.events.notify(port) }
            }
        }
        thread.join()
        #expect(heard == Dictionary(uniqueKeysWithValues: ports.map { ($0, rounds) }))
        #expect(foreign_loop_wait(loop.rawValue, 0) == -1)
    }

    @Test func theDescriptorFollowsWhateverHappensToAnEvent() throws {
        let hypervisor = MockHypervisor()
        let guest = hypervisor.domain(DomainID(3)).startProcess(name: "guest")
        let dom0 = hypervisor.domain(.dom0).startProcess(name: "dom0")
        let port = try guest.events.bindUnbound(for: .dom0)
        let bound = try dom0.events.bindInterdomain(to: port, of: DomainID(3))
        try dom0.events.notify(bound)
        // Asked for while an event waits.
        let descriptor = try guest.events.descriptor
        let loop = OwnedDescriptor(adopting: foreign_loop_open())
        #expect(foreign_loop_add(loop.rawValue, descriptor) == 0)
        func isReadable() -> Bool { foreign_loop_wait(loop.rawValue, 0) == descriptor }
        #expect(isReadable())
        try guest.events.mask(port)
        #expect(!isReadable())
        try guest.events.unmask(port)
        #expect(isReadable())
        try guest.events.unbind(port)
        #expect(!isReadable())

        // Of two events the first does not take the second's readiness away.
        let others = try (0..<2).map { _ in try guest.events.bindUnbound(for: .dom0) }
        for other in others {
            try dom0.events.notify(try dom0.events.bindInterdomain(to: other, of: DomainID(3)))
        }
        for other in others {
            #expect(isReadable())
            #expect(try guest.events.nextPending(until: .now) == other)
        }
        #expect(!isReadable())

        // A dead process's loop wakes up and is told.
        guest.kill()
        #expect(isReadable())
        #expect(throws: EventChannelError.self) { try guest.events.nextPending(until: .now) }
    }
}
