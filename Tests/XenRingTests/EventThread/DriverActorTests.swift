import CAllocationCount
import Testing
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenRing
import XenSystem

/// Two drivers, an actor each, in two domains of the mock, each on an event thread of its own.
@Suite(.serialized) struct DriverActorTests {
    /// With spinning and without, where each sleep is one of the handle's.
    @Test(arguments: [Duration.zero, .microseconds(50)])
    func aMillionRequestsTakeNoAllocationEach(longestSpin: Duration) async throws {
        let total: UInt64 = 1_000_000
        let hypervisor = MockHypervisor()
        let guest = hypervisor.domain(DomainID(3)).startProcess(name: "front")
        let dom0 = hypervisor.domain(.dom0).startProcess(name: "back")
        let share = try GrantTable(guest.grants).share(pageCount: 1, with: .dom0)
        let mapping = try GrantTable(dom0.grants).map(share.references, of: DomainID(3))
        var limits = EventThread.Limits()
        limits.longestSpin = longestSpin
        do {
            let frontThread = try EventThread.start(on: EventChannels(guest.events), limits: limits)
            let backThread = try EventThread.start(on: EventChannels(dom0.events), limits: limits)
            let isOver = ThreadSignal()
            // Safe: share and mapping are closed below, after both drivers have ended.
            let front = unsafe RequestingDriver(
                frontThread, share.memory, total: total, isOver: isOver)
            let back = unsafe ServingDriver(backThread, mapping.memory)

            let unbound = try EventChannels(guest.events).bindUnbound(for: .dom0)
            let bound = try EventChannels(dom0.events).bindInterdomain(
                to: unbound.port, of: DomainID(3))
            let backID = try await back.begin(bound)
            let frontID = try await front.begin(unbound)
            #expect(wait(for: isOver), "lost a wake-up")

            await check(front.tally, front.failure, frontThread, frontID, total)
            await check(back.tally, back.failure, backThread, backID, total)
            await front.end()
            await back.end()
        }
        try mapping.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    private func wait(for signal: ThreadSignal) -> Bool { signal.wait(until: .after(.seconds(60))) }

    private func check(
        _ tally: Tally, _ failure: (any Error)?, _ thread: EventThread, _ id: EventThread.PortID,
        _ total: UInt64
    ) {
        let port = thread.counters(of: id)
        let all = thread.counters
        print("\(tally); \(all)")
        #expect(failure == nil)
        #expect(tally.messages == total)
        #expect(port?.messageCount == total)
        #expect(port?.stormCount == 0)
        guard allocation_count_works() == 1 else { return }
        #if DEBUG
            // Unoptimised, reading a channel and calling an actor's method allocate: by the turn, and by the look of
            // a thread that spins, not by the message.
            #expect(tally.ringAllocations < 6 * all.ports.turnCount + tally.looks + 1000)
        #else
            // A few at the beginning are the Swift runtime's, for types that it meets for the first time.
            #expect(tally.ringAllocations < 1000)
        #endif
    }
}
