import Synchronization
import Testing
import XenCore
import XenGrant
import XenMock

/// 'The peer still maps this': counted, told once, never reused, and told again when it is over.
@Suite struct GrantQuarantineTests {
    let hypervisor = MockHypervisor()
    let guest: MockDomain
    let front: MockProcess
    let back: MockProcess
    let heard = Heard()

    final class Heard: Sendable {
        private let events = Mutex<[QuarantineEvent]>([])
        func note(_ event: QuarantineEvent) { events.withLock { $0.append(event) } }
        func take() -> [QuarantineEvent] {
            events.withLock { events in
                defer { events = [] }
                return events
            }
        }
    }

    init() {
        guest = hypervisor.domain(DomainID(3))
        front = guest.startProcess(name: "front")
        back = hypervisor.domain(.dom0).startProcess(name: "back")
    }

    private func table() -> GrantTable {
        GrantTable(front.grants, onQuarantine: { [heard] in heard.note($0) })
    }

    @Test func pagesThatAreStillMappedGoToTheQuarantineAndComeBack() throws {
        let grants = table()
        let share = try grants.share(pageCount: 3, with: .dom0)
        let references = share.references
        let mapping = try GrantTable(back.grants).map([references[1]], of: guest.id)
        _ = consume share

        let kept = try #require(grants.accounts.quarantine.first)
        #expect(kept.references == references)
        #expect(kept.refusal?.attemptCount == 1)
        #expect(kept.refusal?.reason.code == .inUse)
        #expect(heard.take() == [.peerStillMaps(kept)])
        #expect(grants.quarantinedPageCount == 3)
        #expect(grants.accounts.refusedRevocationCount == 1)

        #expect(grants.sweepQuarantine() == 3)
        #expect(grants.accounts.quarantine.first?.refusal?.attemptCount == 2)
        #expect(heard.take() == [])

        let last = grants.accounts.quarantine
        try mapping.close()
        #expect(grants.sweepQuarantine() == 0)
        #expect(heard.take() == last.map { .letGo($0) })
        #expect(grants.accounts.total == .none)
        #expect(grants.accounts.refusedRevocationCount == 1)
        try hypervisor.assertCleanedUp()
    }

    @Test func anOwnerThatKeepsItsShareIsToldToo() throws {
        let grants = table()
        var share = try grants.share(pageCount: 1, with: .dom0)
        let mapping = try GrantTable(back.grants).map(share.references, of: guest.id)
        for _ in 0..<3 {
            #expect(throws: GrantError.self) { try share.revoke() }
        }
        let held = try #require(grants.accounts.shares.first)
        #expect(!held.isQuarantined)
        #expect(held.refusal?.attemptCount == 3)
        #expect(grants.quarantinedPageCount == 0)
        let events = heard.take()
        try #require(events.count == 1)
        guard case .peerStillMaps(let told) = events[0] else {
            Issue.record("told \(events)")
            return
        }
        #expect(told.references == share.references)

        // Now it lets go: in quarantine, and not told a second time.
        _ = consume share
        #expect(grants.quarantinedPageCount == 1)
        #expect(heard.take() == [])
        try mapping.close()
        #expect(grants.sweepQuarantine() == 0)
        #expect(heard.take().count == 1)
        try hypervisor.assertCleanedUp()
    }

    @Test func nothingIsToldWhenAllIsWell() throws {
        let grants = table()
        try grants.share(pageCount: 1, with: .dom0).close()
        #expect(heard.take() == [])
        #expect(grants.accounts.refusedRevocationCount == 0)
    }

    /// Each share looks at one entry of the quarantine, in turn, so that it empties without anyone asking.
    @Test func sharingEmptiesTheQuarantineStepByStep() throws {
        let grants = table()
        var mappings: [Kept] = []
        for _ in 0..<3 {
            let share = try grants.share(pageCount: 1, with: .dom0)
            mappings.append(Kept(try GrantTable(back.grants).map(share.references, of: guest.id)))
        }
        #expect(grants.quarantinedPageCount == 3)
        mappings.removeFirst()
        mappings.removeLast()
        for _ in 0..<3 { try grants.share(pageCount: 1, with: .dom0).close() }
        #expect(grants.quarantinedPageCount == 1)
        mappings = []
        try grants.share(pageCount: 1, with: .dom0).close()
        #expect(grants.quarantinedPageCount == 0)
        #expect(grants.accounts.refusedRevocationCount == 3)
        try hypervisor.assertCleanedUp()
    }

    /// A kernel that refuses for a reason of its own: the pages are kept as well, since they are still granted.
    @Test func otherRefusalsKeepThePagesToo() throws {
        let backend = StubbornGrants(front.grants, refusals: 2)
        let grants = GrantTable(backend, onQuarantine: { [heard] in heard.note($0) })
        let share = try grants.share(pageCount: 1, with: .dom0)
        _ = consume share
        #expect(grants.accounts.quarantine.first?.refusal?.reason.code == .refused)
        #expect(grants.sweepQuarantine() == 1)
        #expect(grants.sweepQuarantine() == 0)
        #expect(heard.take().count == 2)
        try hypervisor.assertCleanedUp()
    }

    /// Two sweepers at once: every share is revoked once, and told of once.
    @Test func concurrentSweepsRevokeOnce() async throws {
        let grants = table()
        var mappings: [Kept] = []
        for _ in 0..<200 {
            let share = try grants.share(pageCount: 1, with: .dom0)
            mappings.append(Kept(try GrantTable(back.grants).map(share.references, of: guest.id)))
        }
        _ = heard.take()
        mappings = []
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { grants.sweepQuarantine() } }
        }
        #expect(grants.quarantinedPageCount == 0)
        #expect(heard.take().count == 200)
        #expect(grants.accounts.total == .none)
        try hypervisor.assertCleanedUp()
    }

    private final class Kept {
        private let mapping: GrantMapping
        init(_ mapping: consuming GrantMapping) { self.mapping = mapping }
    }
}

/// Refuses so many revocations, for no reason that a peer gave.
private final class StubbornGrants: GrantBackend {
    private let real: any GrantBackend
    private let refusals: Mutex<Int>

    init(_ real: any GrantBackend, refusals: Int) {
        self.real = real
        self.refusals = Mutex(refusals)
    }

    func unshare(_ share: RawShare) throws(GrantError) {
        let isRefused = refusals.withLock { left in
            defer { left -= 1 }
            return left > 0
        }
        if isRefused { throw GrantError(.refused, errorNumber: .noMemory, "not now") }
        try real.unshare(share)
    }

    func share(
        pageCount: Int, with domain: DomainID, access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawShare {
        try real.share(
            pageCount: pageCount, with: domain, access: access, notification: notification)
    }

    func map(
        _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawMapping {
        try real.map(pages, access: access, notification: notification)
    }

    func unmap(_ mapping: RawMapping) throws(GrantError) { try real.unmap(mapping) }

    func copy(_ segments: [GrantCopySegment]) throws(GrantError) -> [GrantCopyStatus] {
        try real.copy(segments)
    }
}
