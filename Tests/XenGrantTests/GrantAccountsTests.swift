import MockStage
import Testing
import XenCore
import XenGrant
import XenMock

/// The books of a `GrantTable`: they hold what is held, no more and no less, and say so in words.
@Suite struct GrantAccountsTests: OnMockStage {
    let stage = MockStage()
    let guest = DomainID(3)

    @Test func everyShareAndMappingIsThereUntilItGoes() throws {
        let grants = GrantTable(front.grants)
        let theirs = GrantTable(back.grants)
        #expect(grants.accounts.description == "shared and mapped nothing")
        let start = ContinuousClock.now
        let first = try grants.share(pageCount: 2, with: .dom0)
        let second = try grants.share(pageCount: 1, with: DomainID(7), access: .readOnly)
        let other = try theirs.share(pageCount: 1, with: guest)
        let mapping = try grants.map(other.references, of: .dom0, access: .readOnly)
        let end = ContinuousClock.now

        let accounts = grants.accounts
        #expect(accounts.shares.map(\.peer) == [.dom0, DomainID(7)])
        #expect(accounts.shares.map(\.references) == [first.references, second.references])
        #expect(accounts.shares.map(\.access) == [.readWrite, .readOnly])
        #expect(accounts.mappings.map(\.pages) == [mapping.pages])
        #expect(accounts.mappings.map(\.access) == [.readOnly])
        let instants = accounts.shares.map(\.since) + accounts.mappings.map(\.since)
        #expect(instants == instants.sorted())
        #expect(instants.allSatisfy { (start...end).contains($0) })
        #expect(accounts.moment >= end)
        #expect(accounts.total == GrantPageCounts(shared: 3, mapped: 1, quarantined: 0))
        #expect(
            accounts.totalsByPeer == [
                .dom0: GrantPageCounts(shared: 2, mapped: 1, quarantined: 0),
                DomainID(7): GrantPageCounts(shared: 1, mapped: 0, quarantined: 0),
            ])
        // A copy of the table keeps the same books; another table over the same back end its own.
        let copy = grants
        #expect(copy.accounts.shares == accounts.shares)
        #expect(GrantTable(front.grants).accounts.shares.isEmpty)

        try mapping.close()
        #expect(grants.accounts.mappings.isEmpty)
        try first.close()
        _ = consume second
        #expect(grants.accounts.total == .none)
        #expect(grants.accounts.totalsByPeer.isEmpty)
        try other.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func aMappingOfSeveralDomainsCountsForEach() throws {
        let one = try GrantTable(front.grants).share(pageCount: 2, with: .dom0)
        let two = try GrantTable(back.grants).share(pageCount: 1, with: .dom0)
        let grants = GrantTable(back.grants)
        let mapping = try grants.map(
            one.references.granted(by: guest) + two.references.granted(by: .dom0))
        #expect(grants.accounts.totalsByPeer[guest]?.mapped == 2)
        #expect(grants.accounts.totalsByPeer[.dom0]?.mapped == 1)
        try mapping.close()
        try one.close()
        try two.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func whatFailsLeavesNothingInTheBooks() throws {
        hypervisor.domain(guest).limits.grantCount = 4
        let grants = GrantTable(front.grants)
        #expect(throws: GrantError.self) { try grants.share(pageCount: 5, with: .dom0).close() }
        #expect(throws: GrantError.self) {
            try grants.map([GrantReference(99)], of: .dom0).close()
        }
        #expect(grants.accounts.total == .none)
        let hesitant = GrantTable(HesitantGrants(front.grants, mapHesitation: .max))
        #expect(throws: GrantError.self) {
            try hesitant.map([GrantReference(8)], of: .dom0, until: .now).close()
        }
        #expect(hesitant.accounts.total == .none)
    }

    /// What goes with its process is no longer in the books once its owner has noticed.
    @Test func aKilledProcessHoldsNothing() throws {
        let grants = GrantTable(front.grants)
        let share = try grants.share(pageCount: 1, with: .dom0)
        let other = try GrantTable(back.grants).share(pageCount: 1, with: guest)
        let mapping = try grants.map(other.references, of: .dom0)
        front.kill()
        _ = consume share
        _ = consume mapping
        #expect(grants.accounts.total == .none)
        #expect(grants.accounts.shares.isEmpty)
        #expect(grants.accounts.mappings.isEmpty)
        try other.close()
        try hypervisor.assertCleanedUp()
    }

    /// A sample of everything, without a clock.
    @Test func theBooksInWords() {
        let start = ContinuousClock.now
        let accounts = GrantAccounts(
            moment: start + .seconds(100),
            shares: [
                .init(
                    peer: DomainID(3), references: [8, 9, 10, 20].map { GrantReference($0) },
                    access: .readWrite, since: start + .milliseconds(99_500)),
                .init(
                    peer: DomainID(3), references: [GrantReference(7)], access: .readOnly,
                    since: start,
                    refusal: .init(
                        since: start + .seconds(97), attemptCount: 4,
                        reason: GrantError(.inUse, errorNumber: .busy, "still mapped")),
                    isQuarantined: true),
            ],
            mappings: [
                .init(
                    pages: [GrantReference(5), GrantReference(6)].granted(by: DomainID(4))
                        + [GrantReference(5)].granted(by: DomainID(3)),
                    access: .readOnly, since: start - .seconds(3600))
            ], refusedRevocationCount: 2)
        #expect(
            accounts.description == """
                shared 5 pages (1 in quarantine), mapped 3 pages
                  domain 3: shared 5 pages (1 in quarantine), mapped 1 page
                  domain 4: mapped 2 pages
                shares:
                  grants 8-10, 20 with domain 3, read-write, for 500 ms
                  grant 7 with domain 3, read-only, for 100.0 s, in quarantine, \
                to be revoked for 3.0 s (4 attempts): still mapped (in use, EBUSY)
                mappings:
                  grants 5, 6 of domain 4, 5 of domain 3, read-only, for 61 min
                shares that could not be revoked at once: 2
                """)
    }

    @Test(arguments: [
        (Duration.zero, "0 ms"), (.milliseconds(-5), "0 ms"), (.microseconds(999_999), "999 ms"),
        (.seconds(1), "1.0 s"), (.milliseconds(119_999), "119.9 s"), (.seconds(120), "2 min"),
        (.seconds(7199), "119 min"), (.seconds(7200), "2 h"), (.seconds(172_799), "47 h"),
        (.seconds(172_800), "2 d"), (.seconds(Int64.max / 1000), "106751991167 d"),
    ])
    func durationsInWords(duration: Duration, words: String) {
        #expect(duration.inWords == words)
    }

    @Test func referencesInWords() {
        func words(_ numbers: [UInt32]) -> String { numbers.map { GrantReference($0) }.inWords }
        #expect(words([8]) == "grant 8")
        #expect(words([8, 9]) == "grants 8, 9")
        #expect(words([8, 9, 10]) == "grants 8-10")
        #expect(words([3, 2, 1]) == "grants 3, 2, 1")
        #expect(words([1, 5, 6, 7, 9, 10]) == "grants 1, 5-7, 9, 10")
        #expect(words([.max - 2, .max - 1, .max, 0]) == "grants 4294967293-4294967295, 0")
    }
}
