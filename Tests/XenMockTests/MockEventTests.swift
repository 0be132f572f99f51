import CAllocationCount
import MockStage
import Testing
import XenCore
import XenEvtchn
import XenMock
import XenSystem

/// Event channels of the mock, beyond what the conformance suite says.
@Suite struct MockEventTests: OnMockStage {
    let stage = MockStage()

    @Test func aMillionNotificationsTakeNoAllocationEach() throws {
        let port = try front.events.bindUnbound(for: .dom0)
        let bound = try back.events.bindInterdomain(to: port, of: DomainID(3))
        let (events, peer) = (front.events, back.events)
        func ring(_ count: Int) throws {
            for _ in 0..<count {
                try peer.notify(bound)
                try #require(try events.nextPending(until: .now) == port)
                try events.unmask(port)
            }
        }
        try ring(10)
        let before = allocation_count_of_this_thread()
        try ring(1_000_000)
        if allocation_count_works() == 1 {
            #expect(allocation_count_of_this_thread() - before < 100)
        }
        try peer.unbind(bound)
        try events.unbind(port)
        try hypervisor.assertCleanedUp()
    }

    @Test func sleepingTakesNoAllocationEach() throws {
        let port = try front.events.bindUnbound(for: .dom0)
        let bound = try back.events.bindInterdomain(to: port, of: DomainID(3))
        let (events, peer) = (front.events, back.events)
        let echo = try PlatformThread {
            for _ in 0..<1010 {
                guard (try? peer.nextPending(until: .after(.seconds(30)))) == bound else { return }
                try? peer.unmask(bound)
                try? peer.notify(bound)
            }
        }
        func roundTrips(_ count: Int) throws {
            for _ in 0..<count {
                try #require(try events.nextPending(until: .after(.seconds(30))) == port)
                try events.unmask(port)
                try events.notify(port)
            }
        }
        // The bound port fires once by itself, which sets the ball rolling.
        try roundTrips(10)
        let before = allocation_count_of_this_thread()
        try roundTrips(999)
        if allocation_count_works() == 1 {
            #expect(allocation_count_of_this_thread() - before < 100)
        }
        try #require(try events.nextPending(until: .after(.seconds(30))) == port)
        echo.join()
    }
}
