import MockStage
import Testing
import XenCore
import XenGrant
import XenMock

/// A mapping that has to be tried again: often enough, never past the deadline, and nothing else is.
@Suite struct MapRetryTests: OnMockStage {
    let stage = MockStage()

    @Test(arguments: [0, 1, 2, 7])
    func itIsTriedUntilItSucceeds(hesitation: Int) throws {
        let backend = HesitantGrants(back.grants, mapHesitation: hesitation)
        let share = try GrantTable(front.grants).share(pageCount: 1, with: .dom0)
        share.store([9], at: 0)
        let mapping = try GrantTable(backend).map(
            share.references, of: DomainID(3), until: .after(.seconds(600)))
        #expect(mapping.bytes(at: 0, count: 1) == [9])
        #expect(backend.mapCount == hesitation + 1)
        try mapping.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func oneAttemptIsMadeAfterTheDeadline() throws {
        let page = GrantedPage(GrantReference(8), of: DomainID(3))
        let backend = HesitantGrants(back.grants, mapHesitation: .max)
        let error = try #require(throws: GrantError.self) {
            try GrantTable(backend).map([page], until: .now).close()
        }
        #expect(error.code == .again)
        #expect(error.errorNumber == .again)
        #expect(backend.mapCount == 1)
    }

    @Test func itGivesUpAtTheDeadline() throws {
        let page = GrantedPage(GrantReference(8), of: DomainID(3))
        let backend = HesitantGrants(back.grants, mapHesitation: .max)
        let deadline = Deadline.after(.milliseconds(20))
        let error = try #require(throws: GrantError.self) {
            try GrantTable(backend).map([page], until: deadline).close()
        }
        #expect(error.code == .again)
        #expect(deadline.hasPassed)
    }

    @Test func otherFailuresAreNotTriedAgain() throws {
        let backend = HesitantGrants(back.grants)
        let error = try #require(throws: GrantError.self) {
            try GrantTable(backend).map(
                [GrantReference(8)], of: DomainID(3), until: .after(.seconds(600))
            ).close()
        }
        #expect(error.code == .badReference)
        #expect(backend.mapCount == 1)
    }

    /// Without a clock: the delays double up to 64 ms, and the last one ends at the deadline.
    @Test func delaysGrowUpToABound() {
        var backOff = BackOff()
        let delays = (0..<10).map { _ in backOff.delay(remaining: .seconds(60)) }
        #expect(delays == [1, 2, 4, 8, 16, 32, 64, 64, 64, 64].map { .milliseconds($0) })
        #expect(backOff.delay(remaining: .milliseconds(5)) == .milliseconds(5))
        #expect(backOff.delay(remaining: .zero) == nil)
        var late = BackOff()
        #expect(late.delay(remaining: .zero) == nil)
        #expect(late.delay(remaining: .microseconds(3)) == .microseconds(3))
    }
}
