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
            error.description == """
                4 leaked:
                  domain 0, process 'back': mapping of grants 9 of domain 3
                  domain 0, process 'back': port 1 for domain 3
                  domain 3, process 'front': share of grants 8, 9 with domain 0
                  domain 3, process 'front': port 1 for domain 0
                """)

        try back.events.unbind(bound)
        try front.events.unbind(port)
        try mapping.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }
}
