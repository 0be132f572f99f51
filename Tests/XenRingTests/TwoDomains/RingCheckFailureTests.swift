import Synchronization
import Testing
import XenCore
import XenGrant
import XenMock
import XenRing
import XenSystem
import XenTesting

/// A suite that cannot fail proves nothing, and a half that fails or dies must not leave the other one waiting.
@Suite struct RingCheckFailureTests {
    private let hypervisor = MockHypervisor()

    private func party(_ domain: DomainID, patience: Duration = .milliseconds(200))
        -> (ConformanceParty, MockProcess)
    {
        let process = hypervisor.domain(domain).startProcess(name: "a half")
        return (
            ConformanceParty(
                domain: domain, grants: process.grants, events: process.events, patience: patience),
            process
        )
    }

    private func check(_ part: String) throws -> RingCheck {
        try #require(RingConformance.checks().first { $0.name.contains(part) })
    }

    /// This check waits for an event whatever the order of things is; in others the peer may always be quick enough.
    @Test func lostNotificationsFailTheCheck() throws {
        let (left, _) = party(.dom0)
        let (right, _) = party(DomainID(7))
        var faults = MockFaults()
        faults.lost = 1
        hypervisor.inject(faults, seed: 1)
        let error = #expect(throws: ConformanceFailure.self) {
            try check("served by credit").run(ConformanceHost(left: left, right: right))
        }
        // One half waits for an event, the other one for requests, each within its patience.
        #expect(error?.description.contains("within 0.2 seconds") == true)
    }

    /// A half that writes where no half may: the inspections at the end have to see it.
    @Test func bytesThatNoHalfWritesFailTheCheck() throws {
        let (left, process) = party(.dom0)
        let (right, _) = party(DomainID(7))
        let (here, there) = LocalRendezvous.pair()
        let check = try check("a ring of a page")
        let thread = try PlatformThread {
            try? check.run(.right, as: right, with: .dom0, meeting: there)
        }
        let error = #expect(throws: (any Error).self) {
            let scribbling = Talk(here) { _ in
                process.withWritableMemory { for memory in $0 { memory.store([0xA5], at: 40) } }
            }
            try check.run(.left, as: left, with: DomainID(7), meeting: scribbling)
        }
        #expect("\(try #require(error))".contains("padding"))
        thread.join()
        // The right half may have mapped the pages still when the left one wanted to let go of them.
        #expect(left.grants.sweepQuarantine() == 0)
        try hypervisor.assertCleanedUp()
    }

    @Test(arguments: RingCheck.Side.allCases)
    func theOtherHalfsFailureEndsThisOne(_ side: RingCheck.Side) throws {
        let (here, there) = LocalRendezvous.pair()
        let check = try check("a ring of a page")
        there.send("here \(check.name)")
        there.send("failed on purpose")
        let error = #expect(throws: ConformanceFailure.self) {
            try check.run(side, as: party(.dom0).0, with: DomainID(7), meeting: here)
        }
        #expect(error?.description == "the other half failed: on purpose")
        try hypervisor.assertCleanedUp()
    }

    @Test(arguments: RingCheck.Side.allCases, [0, 1])
    func aHalfThatSaysNothingEndsThisOne(_ side: RingCheck.Side, saidCount: Int) throws {
        let (here, there) = LocalRendezvous.pair()
        let check = try check("a ring of a page")
        if saidCount > 0 { there.send("here \(check.name)") }
        #expect(throws: RendezvousSilence.self) {
            let party = party(.dom0, patience: .milliseconds(50)).0
            try check.run(side, as: party, with: DomainID(7), meeting: here)
        }
        try hypervisor.assertCleanedUp()
    }

    /// The process dies without a word: what Xen does then ends the other half's traffic, long before its deadline.
    @Test(arguments: RingCheck.Side.allCases)
    func aHalfThatDiesEndsTheOther(_ dying: RingCheck.Side) throws {
        let surviving: RingCheck.Side = dying == .left ? .right : .left
        let (mortal, process) = party(.dom0, patience: .seconds(60))
        let (survivor, other) = party(DomainID(7), patience: .seconds(60))
        let (here, there) = LocalRendezvous.pair()
        // More than can pass before it dies.
        let check = try #require(RingConformance.checks(requestCount: 10_000_000).first)
        let failure = Mutex<(any Error)?>(nil)
        let death = try PlatformThread {
            let talk = Talk(there) { _ in }
            try? check.run(dying, as: mortal, with: DomainID(7), meeting: talk)
        }
        let survival = try PlatformThread {
            do {
                let talk = Talk(here) { _ in }
                try check.run(surviving, as: survivor, with: .dom0, meeting: talk)
            } catch {
                failure.withLock { $0 = error }
            }
        }
        let deadline = Deadline.after(.seconds(60))
        // Where it has the pages, the right half has its port too.
        while !deadline.hasPassed, !(hasTraffic(process) && hasTraffic(other)) {
            ThreadSignal().wait(until: .after(.milliseconds(1)))
        }
        #expect(hasTraffic(process) && hasTraffic(other), "no traffic within a minute")
        process.kill()
        survival.join()
        death.join()
        let error = try #require(failure.withLock { $0 })
        #expect("\(error)".contains("the other half has let go of the pages"))
        try hypervisor.assertCleanedUp()
    }

    /// Whether its ring carries requests.
    private func hasTraffic(_ process: MockProcess) -> Bool {
        var hasTraffic = false
        process.withWritableMemory { memories in
            guard let memory = memories.first else { return }
            var ring = BackRing<Wide<14>, Wide<2>>(
                attachingTo: memory.slice(offset: 0, byteCount: Page.byteCount))
            // More than fit, seen from the ring's begin, are traffic too.
            hasTraffic = (try? ring.seesRequests()) != false
        }
        return hasTraffic
    }
}

/// What a half says and hears, but never how it went: as one that dies does not say it. Nor does it then wait for the other
/// half's word.
private final class Talk: Rendezvous {
    private let base: LocalRendezvous
    private let beforeSending: @Sendable (String) -> Void
    private let isOver = Atomic(false)

    init(_ base: LocalRendezvous, beforeSending: @escaping @Sendable (String) -> Void) {
        self.base = base
        self.beforeSending = beforeSending
    }

    func send(_ text: String) {
        beforeSending(text)
        if text.hasPrefix("failed") {
            isOver.store(true, ordering: .relaxed)
        } else {
            base.send(text)
        }
    }

    func receive(until deadline: Deadline) -> String? {
        base.receive(until: isOver.load(ordering: .relaxed) ? .now : deadline)
    }
}
