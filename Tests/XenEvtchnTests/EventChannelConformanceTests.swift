import Testing
import XenCore
import XenMock
import XenTesting

/// The suite that real Xen is held to, on the mock: between two domains, and within one.
@Suite struct EventChannelConformanceTests {
    @Test(arguments: EventChannelConformance.checks, [DomainID(7), .dom0])
    func mock(check: ConformanceCheck, peer: DomainID) throws {
        let hypervisor = MockHypervisor()
        let left = hypervisor.domain(.dom0).startProcess(name: "left")
        let right = hypervisor.domain(peer).startProcess(name: "right")
        try check.run(
            ConformanceHost(
                left: ConformanceParty(domain: .dom0, grants: left.grants, events: left.events),
                right: ConformanceParty(domain: peer, grants: right.grants, events: right.events)))
        try hypervisor.assertCleanedUp()
    }
}
