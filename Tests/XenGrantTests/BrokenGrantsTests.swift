import Testing
import XenCore
import XenMock
import XenTesting

/// A suite that cannot fail proves nothing: each flaw must fail at least one check.
@Suite struct BrokenGrantsTests {
    @Test(arguments: BrokenGrants.Flaw.allCases)
    func suiteNotices(flaw: BrokenGrants.Flaw) {
        #expect(GrantConformance.checks.contains { fails($0, flaw) })
    }

    private func fails(_ check: ConformanceCheck, _ flaw: BrokenGrants.Flaw) -> Bool {
        let hypervisor = MockHypervisor()
        let left = hypervisor.domain(.dom0).startProcess(name: "left")
        let right = hypervisor.domain(DomainID(7)).startProcess(name: "right")
        let host = ConformanceHost(
            left: ConformanceParty(
                domain: .dom0, grants: BrokenGrants(left.grants, flaw: flaw), events: left.events,
                patience: .milliseconds(100)),
            right: ConformanceParty(
                domain: DomainID(7), grants: BrokenGrants(right.grants, flaw: flaw),
                events: right.events, patience: .milliseconds(100)))
        do {
            try check.run(host)
            return false
        } catch {
            return true
        }
    }
}
