import MockStage
import Testing
import XenCore
import XenEvtchn
import XenGrant
import XenMock

/// What a domain loses when it is suspended, and what its processes see after the resume.
@Suite struct MockSuspendTests: OnMockStage {
    let stage = MockStage()

    @Test func toAllOthersItIsAsIfTheDomainHadEnded() throws {
        let share = try GrantTable(front.grants).share(pageCount: 1, with: .dom0)
        share.store([42], at: 0)
        let mapping = try GrantTable(back.grants).map(share.references, of: guest.id)
        let port = try front.events.bindUnbound(for: .dom0)
        let bound = try back.events.bindInterdomain(to: port, of: guest.id)
        hypervisor.suspend(guest)

        // What was mapped stays, and is nobody else's.
        #expect(mapping.bytes(at: 0, count: 1) == [42])
        #expect(throws: GrantError.self) {
            try GrantTable(back.grants).map(share.references, of: guest.id).close()
        }
        try back.events.notify(bound)
        let refused = try #require(throws: EventChannelError.self) {
            try back.events.bindInterdomain(to: port, of: guest.id)
        }
        #expect(refused.errorNumber == .noSuchProcess)
        #expect(throws: EventChannelError.self) { try front.events.bindUnbound(for: .dom0) }

        hypervisor.resume(guest)
        // The guest has its bytes, and a copy of its own.
        #expect(share.bytes(at: 0, count: 1) == [42])
        share.store([1], at: 0)
        #expect(mapping.bytes(at: 0, count: 1) == [42])
        mapping.store([2], at: 0)
        #expect(share.bytes(at: 0, count: 1) == [1])
        try mapping.close()
        try share.close()
        try back.events.unbind(bound)
        try hypervisor.assertCleanedUp()
    }

    @Test func numbersAreUsedAgain() throws {
        let old = try GrantTable(front.grants).share(pageCount: 2, with: .dom0)
        let mapping = try GrantTable(back.grants).map(old.references, of: guest.id)
        _ = try front.events.bindUnbound(for: .dom0)
        saveAndRestore()
        let heir = guest.startProcess(name: "heir")
        #expect(try heir.events.bindUnbound(for: .dom0) == EventPort(1))
        let new = try GrantTable(heir.grants).share(pageCount: 2, with: .dom0)
        #expect(new.references == old.references)
        new.store([7], at: 0)
        #expect(mapping.bytes(at: 0, count: 1) == [0])
        // The old mapping's end does not count against the new grants, which are not mapped.
        try mapping.close()
        try new.close()
        try old.close()
        heir.kill()
        try hypervisor.assertCleanedUp()
    }

    @Test func whatTheGuestHadMappedEnds() throws {
        let share = try GrantTable(back.grants).share(pageCount: 1, with: guest.id)
        share.store([5], at: 9)
        let mapping = try GrantTable(front.grants).map(
            share.references, of: .dom0, access: .readOnly)
        saveAndRestore()
        #expect(mapping.bytes(at: 9, count: 1) == [5])
        share.store([6], at: 9)
        #expect(mapping.bytes(at: 9, count: 1) == [5])
        try share.close()
        try mapping.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func interruptsAreFreeAgain() throws {
        _ = try front.events.bindVirtualInterrupt(.argo)
        saveAndRestore()
        #expect(!guest.raise(.argo))
        let heir = guest.startProcess(name: "heir")
        let port = try heir.events.bindVirtualInterrupt(.argo)
        #expect(guest.raise(.argo))
        #expect(try heir.events.nextPending(until: .now) == port)
    }

    @Test func aDomainCanBeSuspendedAgainAndDestroyed() throws {
        for _ in 0..<3 {
            _ = try GrantTable(front.grants).share(pageCount: 1, with: .dom0).references
            saveAndRestore()
        }
        _ = guest.startProcess(name: "late")
        hypervisor.suspend(guest)
        hypervisor.destroy(guest)
        let error = try #require(throws: EventChannelError.self) {
            try front.events.bindUnbound(for: .dom0)
        }
        #expect(error.code == .unavailable)
        try hypervisor.assertCleanedUp()
    }
}
