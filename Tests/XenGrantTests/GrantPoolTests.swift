import MockStage
import Testing
import XenCore
import XenGrant
import XenMock

/// Pages that stay granted: lent and given back, never more than the limit, and revoked on every way out.
@Suite struct GrantPoolTests: OnMockStage {
    let stage = MockStage()
    let backend: CountingBackend
    let grants: GrantTable

    init() {
        backend = CountingBackend(stage.front.grants)
        grants = GrantTable(backend)
    }

    @Test func pagesAreGrantedOnceAndLentAgain() throws {
        let pool = GrantPool(grants, peer: .dom0, pageLimit: 4)
        #expect(pool.pageCounts == (0, 0))
        let first = try pool.lend(pageCount: 2)
        #expect(Set(first.references).count == 2)
        #expect(pool.pageCounts == (2, 2))
        let references = Set(first.references)
        first.giveBack()
        #expect(pool.pageCounts == (2, 0))
        for _ in 0..<10 {
            let loan = try pool.lend(pageCount: 2)
            #expect(Set(loan.references) == references)
            loan.giveBack()
        }
        #expect(backend.callCount == 2)
        try pool.close()
        #expect(grants.accounts.total == .none)
        try hypervisor.assertCleanedUp()
    }

    @Test func thePeerSeesWhatIsStoredPageByPage() throws {
        let pool = GrantPool(grants, peer: .dom0, pageLimit: 3)
        let loan = try pool.lend(pageCount: 3)
        for page in 0..<3 { loan.store([UInt8(page + 1)], at: 4095, ofPage: page) }
        let mapping = try GrantTable(back.grants).map(loan.references, of: DomainID(3))
        for page in 0..<3 {
            let byte = mapping.bytes(at: page * Page.byteCount + 4095, count: 1)
            #expect(byte == [UInt8(page + 1)])
            mapping.store([UInt8(page + 7)], at: page * Page.byteCount)
            let answer = loan.bytes(at: 0, count: 1, ofPage: page)
            #expect(answer == [UInt8(page + 7)])
        }
        try mapping.close()
        loan.giveBack()
        try pool.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func thereAreNeverMorePagesThanTheLimit() throws {
        let pool = GrantPool(grants, peer: .dom0, pageLimit: 3)
        let first = try pool.lend(pageCount: 2)
        let error = #expect(throws: GrantError.self) { _ = try pool.lend(pageCount: 2) }
        #expect(error?.code == .limitReached)
        #expect(
            error?.message
                == "this pool for domain 0 has 2 of at most 3 pages on loan: no room for 2 more")
        #expect(pool.pageCounts == (2, 2))
        let last = try pool.lend()
        #expect(throws: GrantError.self) { _ = try pool.lend() }
        first.giveBack()
        let again = try pool.lend(pageCount: 2)
        #expect(grants.accounts.total.shared == 3)
        again.giveBack()
        last.giveBack()
        try pool.close()
        try hypervisor.assertCleanedUp()
    }

    /// The third of five pages cannot be granted: the two are at home afterwards, and nothing is on loan.
    @Test func aLoanThatFailsHalfWayIsUndone() throws {
        hypervisor.domain(DomainID(3)).limits.grantCount = 2
        let pool = GrantPool(grants, peer: .dom0, pageLimit: 5)
        let error = #expect(throws: GrantError.self) { _ = try pool.lend(pageCount: 5) }
        #expect(error?.code == .limitReached)
        #expect(error?.errorNumber == .noSpace)
        #expect(pool.pageCounts == (2, 0))
        let loan = try pool.lend(pageCount: 2)
        #expect(pool.pageCounts == (2, 2))
        loan.giveBack()
        try pool.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func aLoanThatOutlivesItsPoolIsRevokedWhenItIsGivenBack() throws {
        let pool = GrantPool(grants, peer: .dom0, pageLimit: 3)
        let home = try pool.lend()
        let away = try pool.lend(pageCount: 2)
        home.giveBack()
        _ = consume pool
        #expect(grants.accounts.total.shared == 2)
        away.store([1], at: 0, ofPage: 1)
        let byte = away.bytes(at: 0, count: 1, ofPage: 1)
        #expect(byte == [1])
        away.giveBack()
        #expect(grants.accounts.total == .none)
        try hypervisor.assertCleanedUp()
    }

    @Test func pagesThatThePeerStillMapsGoToTheQuarantine() throws {
        let pool = GrantPool(grants, peer: .dom0, pageLimit: 3)
        let loan = try pool.lend(pageCount: 3)
        let mapping = try GrantTable(back.grants).map([loan.references[1]], of: DomainID(3))
        loan.giveBack()
        do throws(GrantError) {
            try pool.close()
            Issue.record("the page is mapped")
        } catch {
            #expect(error.code == .inUse)
        }
        // The two others are revoked all the same.
        #expect(grants.accounts.total == GrantPageCounts(shared: 1, mapped: 0, quarantined: 1))
        try mapping.close()
        #expect(grants.sweepQuarantine() == 0)
        try hypervisor.assertCleanedUp()
    }

    @Test func threadsLendTogether() async throws {
        let grants = self.grants
        let excess = await withTaskGroup(of: Int.self) { group in
            let pool = Shared(GrantPool(grants, peer: .dom0, pageLimit: 7))
            for thread in 0..<4 {
                group.addTask {
                    var excess = 0
                    for round in 0..<300 {
                        guard let loan = try? pool.value.lend(pageCount: 1 + (thread + round) % 3)
                        else { continue }
                        let counts = pool.value.pageCounts
                        if counts.granted > 7 || counts.lent > counts.granted { excess += 1 }
                        for page in 0..<loan.pageCount {
                            loan.store([UInt8(thread)], at: 0, ofPage: page)
                            // Nobody else has this page.
                            if loan.bytes(at: 0, count: 1, ofPage: page) != [UInt8(thread)] {
                                excess += 1
                            }
                        }
                        loan.giveBack()
                    }
                    return excess
                }
            }
            return await group.reduce(0, +)
        }
        #expect(excess == 0)
        #expect(grants.accounts.total == .none)
        try hypervisor.assertCleanedUp()
    }

    private final class Shared: Sendable {
        let value: GrantPool
        init(_ value: consuming GrantPool) { self.value = value }
    }
}
