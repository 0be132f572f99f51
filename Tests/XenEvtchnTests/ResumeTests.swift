import MockStage
import Testing
import XenCore
import XenEvtchn
import XenMock
import XenSystem

/// A guest that is suspended and resumed: its ports are dead, and their numbers get new owners.
@Suite struct ResumeTests: OnMockStage {
    let stage = MockStage()
    let events: EventChannels

    init() {
        events = EventChannels(stage.front.events)
    }

    @Test func anUnnoticedResumeHitsWhoeverHasTheNumber() throws {
        let old = try events.bindUnbound(for: .dom0)
        saveAndRestore()
        let other = guest.startProcess(name: "other")
        let port = try other.events.bindUnbound(for: .dom0)
        #expect(port == old.port)
        let bound = try back.events.bindInterdomain(to: port, of: guest.id)
        #expect(try back.events.nextPending(until: .now) == bound)
        try back.events.rearm(bound)
        // As on Linux: this is what afterResume() is for.
        try old.notify()
        #expect(try back.events.nextPending(until: .now) == bound)
        let oldClosing = refusal(closing: old)
        #expect(oldClosing == .refused)
    }

    @Test func aBindThatMeetsADeadPortsNumberSaysSo() throws {
        let old = try events.bindUnbound(for: .dom0)
        saveAndRestore()
        let error = try #require(throws: EventChannelError.self) {
            try events.bindUnbound(for: .dom0).close()
        }
        #expect(error.code == .stale)
        #expect(error.errorNumber == .exists)
        let new = try events.afterResume().bindUnbound(for: .dom0)
        #expect(new.port == old.port)
        try new.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func everythingOfTheOldEpochIsStaleAndTouchesNothingNew() throws {
        let old = try events.bindUnbound(for: .dom0)
        let bound = try back.events.bindInterdomain(to: old.port, of: guest.id)
        try back.events.notify(bound)
        guard let held = try events.wait(until: .now) else {
            throw Silence()
        }
        saveAndRestore()
        let now = try events.afterResume()
        let new = try now.bindUnbound(for: .dom0)
        #expect(new.port == old.port)
        try back.events.unbind(bound)
        let partner = try back.events.bindInterdomain(to: new.port, of: guest.id)
        #expect(try back.events.nextPending(until: .now) == partner)
        try back.events.rearm(partner)
        try new.mask()

        let oldCalls = refusals(callingOn: old)
        #expect(oldCalls == [.stale])
        let heldUnmasking = refusal(unmasking: held)
        #expect(heldUnmasking == .stale)
        let oldClosing = refusal(closing: old)
        #expect(oldClosing == .stale)
        // The new port was neither rung, nor unmasked, nor closed.
        #expect(try back.events.nextPending(until: .now) == nil)
        try back.events.notify(partner)
        #expect(try now.wait(until: .now)?.port == nil)
        try new.unmask()
        #expect(try now.wait(until: .now)?.port == new.port)
        try new.close()
        try back.events.unbind(partner)
        try hypervisor.assertCleanedUp()
    }

    @Test func lateEventsAreCountedAndNotDeliveredAsTheNewPorts() throws {
        for port in try (0..<3).map({ _ in try front.events.bindUnbound(for: .dom0) }) {
            try back.events.notify(back.events.bindInterdomain(to: port, of: guest.id))
        }
        saveAndRestore()
        let now = try events.afterResume()
        let new = try now.bindUnbound(for: .dom0)
        #expect(new.port == EventPort(1))
        #expect(now.staleEventCount == 3)
        #expect(try now.wait(until: .now)?.port == nil)
        #expect(now.epoch == Epoch(rawValue: 2))
    }

    @Test func portsMadeBetweenTheResumeAndItsNoticeGoWithTheOldOnes() throws {
        saveAndRestore()
        let lost = try events.bindUnbound(for: .dom0)
        let bound = try back.events.bindInterdomain(to: lost.port, of: guest.id)
        let now = try events.afterResume()
        try back.events.notify(bound)
        #expect(try now.wait(until: .now)?.port == nil)
        #expect(now.staleEventCount == 1)
        // Open until the process ends, as on Linux.
        #expect(hypervisor.leaks().map(\.kind).contains(.port(lost.port)))
        front.kill()
        try back.events.unbind(bound)
        try hypervisor.assertCleanedUp()
    }

    @Test func aRestrictionOutlivesTheResume() throws {
        try events.restrict(to: DomainID(9))
        saveAndRestore()
        let now = try events.afterResume()
        #expect(
            refusal { () throws(EventChannelError) in
                try now.bindUnbound(for: .dom0).close()
            } == .notPermitted)
    }

    @Test func eachEpochEndsOnce() throws {
        var handle = events
        for round in 1...5 {
            #expect(handle.epoch == Epoch(rawValue: UInt32(round)))
            let channel = try handle.bindUnbound(for: .dom0)
            saveAndRestore()
            let next = try handle.afterResume()
            #expect(try handle.afterResume().epoch == next.epoch)
            let channelClosing = refusal(closing: channel)
            #expect(channelClosing == .stale)
            handle = next
        }
        try hypervisor.assertCleanedUp()
    }
}
