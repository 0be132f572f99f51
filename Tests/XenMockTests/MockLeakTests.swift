import Testing
import XenCore
import XenEvtchn
import XenGrant
import XenMock

@Suite struct MockLeakTests {
    @Test func reportNamesEachLeakAndWhoHoldsIt() throws {
        let hypervisor = MockHypervisor()
        let front = hypervisor.domain(DomainID(3)).startProcess(name: "front")
        let back = hypervisor.domain(.dom0).startProcess(name: "back")
        let share = try GrantTable(front.grants).share(pageCount: 2, with: .dom0)
        let mapping = try GrantTable(back.grants).map([share.references[1]], of: DomainID(3))
        let port = try front.events.bindUnbound(for: .dom0)
        let bound = try back.events.bindInterdomain(to: port, of: DomainID(3))

        let error = try #require(throws: MockLeaks.self) { try hypervisor.assertCleanedUp() }
        #expect(
            withoutAges(error.description) == """
                4 leaked:
                  domain 0, process 'back': mapping of grant 9 of domain 3, for AGE
                  domain 0, process 'back': port 1 for domain 3, for AGE
                  domain 3, process 'front': share of grants 8, 9 with domain 0, for AGE
                  domain 3, process 'front': port 1 for domain 0, for AGE
                """)

        try back.events.unbind(bound)
        try front.events.unbind(port)
        try mapping.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    /// Each leak's age is the time since it was made.
    @Test func reportTellsSinceWhen() throws {
        let hypervisor = MockHypervisor()
        let process = hypervisor.domain(.dom0).startProcess(name: "holder")
        let start = ContinuousClock.now
        let share = try GrantTable(process.grants).share(pageCount: 1, with: .dom0)
        let mapping = try GrantTable(process.grants).map(share.references, of: .dom0)
        let port = try process.events.bindUnbound(for: .dom0)
        let end = ContinuousClock.now
        let error = try #require(throws: MockLeaks.self) { try hypervisor.assertCleanedUp() }
        #expect(error.leaks.map(\.since) == error.leaks.map(\.since).sorted())
        #expect(error.leaks.allSatisfy { (start...end).contains($0.since) })
        #expect(error.moment >= end)

        try process.events.unbind(port)
        try mapping.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    private func withoutAges(_ report: String) -> String {
        report.replacing(#/for [0-9.]+ (ms|s|min)$/#.anchorsMatchLineEndings(), with: "for AGE")
    }
}
