import Testing
import XenCore
import XenMock
import XenTesting

/// The suite that real Xen is held to, on the mock: a half in each of two domains, in either direction, and both in one.
@Suite struct RingConformanceTests {
    static let domains = [(DomainID.dom0, DomainID(7)), (DomainID(7), .dom0), (.dom0, .dom0)]

    @Test(arguments: RingConformance.checks(), domains)
    func mock(check: RingCheck, domains: (left: DomainID, right: DomainID)) throws {
        let hypervisor = MockHypervisor()
        let left = hypervisor.domain(domains.left).startProcess(name: "left")
        let right = hypervisor.domain(domains.right).startProcess(name: "right")
        try check.run(
            ConformanceHost(
                left: ConformanceParty(
                    domain: domains.left, grants: left.grants, events: left.events),
                right: ConformanceParty(
                    domain: domains.right, grants: right.grants, events: right.events)))
        try hypervisor.assertCleanedUp()
    }
}
