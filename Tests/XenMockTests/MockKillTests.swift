import MockStage
import Testing
import XenCore
import XenEvtchn
import XenGrant
import XenMock

/// What happens when a process or a domain dies in the middle of things.
@Suite struct MockKillTests: OnMockStage {
    let stage = MockStage()
    let frontGrants: GrantTable
    let backGrants: GrantTable

    init() {
        frontGrants = GrantTable(stage.front.grants)
        backGrants = GrantTable(stage.back.grants)
    }

    @Test func killedProcessLeavesNothingAndNotifies() throws {
        let doorbell = try front.events.bindUnbound(for: .dom0)
        let backPort = try back.events.bindInterdomain(to: doorbell, of: DomainID(3))
        let share = try frontGrants.share(pageCount: 2, with: .dom0)
        share.store([1, 1], at: 5000)
        let mapping = try backGrants.map(
            share.references, of: DomainID(3),
            notification: UnmapNotification(clearByte: 5001, notifyPort: backPort))

        back.kill()
        #expect(share.bytes(at: 5000, count: 2) == [1, 0])
        #expect(try front.events.nextPending(until: .after(.seconds(10))) == doorbell)

        // The dead process's threads may still look: they see private memory.
        mapping.store([9], at: 5000)
        #expect(share.bytes(at: 5000, count: 1) == [1])
        _ = consume mapping

        try share.close()
        try front.events.unbind(doorbell)
        try hypervisor.assertCleanedUp()
    }

    @Test func sharesOfADeadProcessStayWhileMapped() throws {
        let share = try frontGrants.share(pageCount: 2, with: .dom0)
        let references = share.references
        share.store([42], at: 0)
        let mapping = try backGrants.map([references[0]], of: DomainID(3))
        front.kill()
        #expect(mapping.bytes(at: 0, count: 1) == [42])
        #expect(
            hypervisor.leaks().map(\.kind) == [
                .mapping(mapping.pages), .quarantinedShare(references),
            ])

        // Its pages and references are nobody else's until they are unmapped.
        let heir = GrantTable(hypervisor.domain(DomainID(3)).startProcess(name: "heir").grants)
        let other = try heir.share(pageCount: 16, with: .dom0)
        #expect(Set(other.references).isDisjoint(with: references))
        other.store([UInt8](repeating: 0xFF, count: other.byteCount), at: 0)
        #expect(mapping.bytes(at: 0, count: 1) == [42])
        try other.close()

        try mapping.close()
        _ = consume share
        try hypervisor.assertCleanedUp()
    }

    @Test func killEndsAWait() async throws {
        let victim = back
        let waiter = Task.detached { try victim.events.nextPending(until: .after(.seconds(60))) }
        try await Task.sleep(for: .milliseconds(20))
        victim.kill()
        let error = try await #require(throws: EventChannelError.self) { try await waiter.value }
        #expect(error.code == .unavailable)
    }

    @Test func everyCallOfADeadProcessIsRefused() throws {
        let share = try frontGrants.share(pageCount: 1, with: .dom0)
        back.kill()
        back.kill()
        let refused = try #require(throws: GrantError.self) {
            try backGrants.map(share.references, of: DomainID(3)).close()
        }
        #expect(refused.code == .unavailable)
        #expect(refused.errorNumber == .badDescriptor)
        #expect(throws: GrantError.self) { try backGrants.share(pageCount: 1, with: .dom0).close() }
        #expect(throws: EventChannelError.self) { try back.events.bindUnbound(for: .dom0) }
        #expect(throws: EventChannelError.self) { try back.events.notify(EventPort(1)) }
        #expect(throws: EventChannelError.self) { try back.events.unmask(EventPort(1)) }
        back.events.interrupt()
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func destroyedDomainLeavesItsPeersWhatTheyMap() throws {
        let guest = hypervisor.domain(DomainID(3))
        let share = try frontGrants.share(pageCount: 1, with: .dom0)
        let references = share.references
        share.store([42], at: 0)
        let mapping = try backGrants.map(references, of: guest.id)
        let port = try front.events.bindUnbound(for: .dom0)
        let bound = try back.events.bindInterdomain(to: port, of: guest.id)

        hypervisor.destroy(guest)
        #expect(mapping.bytes(at: 0, count: 1) == [42])
        try back.events.notify(bound)
        let refused = try #require(throws: EventChannelError.self) {
            try back.events.bindInterdomain(to: port, of: guest.id)
        }
        #expect(refused.errorNumber == .noSuchProcess)

        // A new domain with the same id has nothing to do with the old one's grants.
        let reborn = GrantTable(hypervisor.domain(guest.id).startProcess(name: "reborn").grants)
        #expect(throws: GrantError.self) { try backGrants.map(references, of: guest.id).close() }
        let fresh = try reborn.share(pageCount: 1, with: .dom0)
        try mapping.close()
        try fresh.close()
        try back.events.unbind(bound)
        _ = consume share
        try hypervisor.assertCleanedUp()
    }
}
