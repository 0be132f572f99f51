import CAllocationCount
import Synchronization
import Testing
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenRing
import XenSystem

/// Two domains of the mock, a thread each, that sleep until their event channel rings.
@Suite(.serialized) struct MillionRequestsTests {
    static let total: UInt64 = 1_000_000

    @Test(arguments: [1, 8])
    func aMillionRequestsTakeNoAllocationEach(pageCount: Int) throws {
        let hypervisor = MockHypervisor()
        try serve(pageCount, hypervisor)
        try hypervisor.assertCleanedUp()
    }

    private func serve(_ pageCount: Int, _ hypervisor: MockHypervisor) throws {
        let guest = hypervisor.domain(DomainID(3)).startProcess(name: "front")
        let dom0 = hypervisor.domain(.dom0).startProcess(name: "back")
        let share = try GrantTable(guest.grants).share(pageCount: pageCount, with: .dom0)
        let mapping = try GrantTable(dom0.grants).map(share.references, of: DomainID(3))
        let unbound = try EventChannels(guest.events).bindUnbound(for: .dom0)
        let bound = try EventChannels(dom0.events).bindInterdomain(
            to: unbound.port, of: DomainID(3))

        // The front makes the ring before the back looks, as the device handshake has it.
        let front = RequestingParty(
            Doorbell(EventChannels(guest.events), unbound), unsafe share.memory)
        let back = ServingParty(
            Doorbell(EventChannels(dom0.events), bound), unsafe mapping.memory)
        let requesting = try PlatformThread { front.run(Self.total) }
        let serving = try PlatformThread { back.run(Self.total) }
        requesting.join()
        serving.join()

        for outcome in [front.outcome.withLock { $0 }, back.outcome.withLock { $0 }] {
            let tally = try #require(outcome).get()
            print("\(pageCount) pages, \(tally)")
            #expect(tally.messages == Self.total)
            // A few at the beginning are the Swift runtime's, for types that it meets for the first time.
            if allocation_count_works() == 1 {
                #expect(tally.ringAllocations < 100)
                #expect(tally.eventAllocations < 1000)
            }
        }
        try mapping.close()
        try share.close()
    }
}
