import MockStage
import Testing
import XenCore
import XenEvtchn
import XenGrant
import XenMock

/// Grants and ports, up to the last that a domain may have, and one more.
@Suite struct MockLimitTests: OnMockStage {
    let stage = MockStage()

    @Test func theLimitsOfALifeThatIsOverAreNotThoseOfTheNext() throws {
        hypervisor.destroy(guest)
        let next = hypervisor.domain(guest.id)
        guest.limits.grantCount = 0
        let process = next.startProcess(name: "next")
        #expect(next.limits == MockLimits())
        next.limits.portCount = 7
        #expect(guest.limits == MockLimits())
        try GrantTable(process.grants).share(pageCount: 1, with: .dom0).close()
    }

    @Test func grantsEndAtTheLimit() throws {
        let grants = GrantTable(front.grants)
        let most = try grants.share(pageCount: 1023, with: .dom0)
        let over = try #require(throws: GrantError.self) {
            try grants.share(pageCount: 2, with: .dom0).close()
        }
        #expect(over.code == .limitReached)
        #expect(over.errorNumber == .noSpace)
        let last = try grants.share(pageCount: 1, with: .dom0)
        #expect(throws: GrantError.self) { try grants.share(pageCount: 1, with: .dom0).close() }

        // The references are 8, 9, ...; the last one names the last page, and the next names none.
        last.store([42], at: 0)
        let reference = GrantReference(8 + 1023)
        let mapping = try GrantTable(back.grants).map([reference], of: guest.id)
        #expect(mapping.bytes(at: 0, count: 1) == [42])
        #expect(throws: GrantError.self) {
            try GrantTable(back.grants).map([GrantReference(8 + 1024)], of: guest.id).close()
        }
        try mapping.close()
        try last.close()
        try most.close()
        try grants.share(pageCount: 1024, with: .dom0).close()
        try hypervisor.assertCleanedUp()
    }

    @Test func portsEndAtTheLimit() throws {
        let ports = try (1...1023).map { _ in try front.events.bindUnbound(for: .dom0) }
        #expect(ports == (1...1023).map { EventPort($0) })
        let over = try #require(throws: EventChannelError.self) {
            try front.events.bindUnbound(for: .dom0)
        }
        #expect(over.code == .limitReached)
        #expect(over.errorNumber == .noSpace)

        let bound = try back.events.bindInterdomain(to: EventPort(1023), of: guest.id)
        try back.events.notify(bound)
        #expect(try front.events.nextPending(until: .now) == EventPort(1023))
        try front.events.unbind(EventPort(512))
        #expect(try front.events.bindUnbound(for: .dom0) == EventPort(512))

        for port in ports { try front.events.unbind(port) }
        try back.events.unbind(bound)
        try hypervisor.assertCleanedUp()
    }

    @Test(arguments: [
        (MockLimits.EventInterface.twoLevel, 4095), (.queues, (1 << 17) - 1),
    ])
    func portsEndWithTheirInterface(interface: MockLimits.EventInterface, count: Int) throws {
        guest.limits = MockLimits(portCount: .max, eventInterface: interface)
        let ports = try (1...count).map { _ in try front.events.bindUnbound(for: .dom0) }
        #expect(ports == (1...count).map { EventPort(UInt32($0)) })
        let over = try #require(throws: EventChannelError.self) {
            try front.events.bindUnbound(for: .dom0)
        }
        #expect(over.code == .limitReached)
        #expect(over.errorNumber == .noSpace)
        let last = try #require(ports.last)
        let bound = try back.events.bindInterdomain(to: last, of: guest.id)
        try back.events.notify(bound)
        #expect(try front.events.nextPending(until: .now) == last)
        try back.events.unbind(bound)
        for port in ports { try front.events.unbind(port) }
        try hypervisor.assertCleanedUp()
    }

    @Test func limitsBelongToOneDomain() throws {
        guest.limits = MockLimits(grantCount: 0, portCount: 0)
        #expect(throws: GrantError.self) {
            try GrantTable(front.grants).share(pageCount: 1, with: .dom0).close()
        }
        #expect(throws: EventChannelError.self) { try front.events.bindUnbound(for: .dom0) }
        try GrantTable(back.grants).share(pageCount: 1, with: guest.id).close()
        try back.events.unbind(back.events.bindUnbound(for: guest.id))
        try hypervisor.assertCleanedUp()
    }

    @Test func quarantinedPagesCountUntilTheyAreUnmapped() throws {
        guest.limits = MockLimits(grantCount: 2)
        let grants = GrantTable(front.grants)
        let share = try grants.share(pageCount: 2, with: .dom0)
        let mapping = try GrantTable(back.grants).map([share.references[0]], of: guest.id)
        _ = consume share
        #expect(grants.quarantinedPageCount == 2)
        #expect(throws: GrantError.self) { try grants.share(pageCount: 1, with: .dom0).close() }
        try mapping.close()
        // The next share looks at the quarantine by itself.
        try grants.share(pageCount: 2, with: .dom0).close()
        try hypervisor.assertCleanedUp()
    }
}
