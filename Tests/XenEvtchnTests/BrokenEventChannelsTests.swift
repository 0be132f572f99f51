import Testing
import XenCore
import XenMock
import XenTesting

/// A suite that cannot fail proves nothing: each flaw must fail at least one check.
@Suite struct BrokenEventChannelsTests {
    @Test(arguments: BrokenEventChannels.Flaw.allCases)
    func suiteNotices(flaw: BrokenEventChannels.Flaw) {
        #expect(EventChannelConformance.checks.contains { fails($0, flaw) })
    }

    private func fails(_ check: ConformanceCheck, _ flaw: BrokenEventChannels.Flaw) -> Bool {
        let hypervisor = MockHypervisor()
        let left = hypervisor.domain(.dom0).startProcess(name: "left")
        let right = hypervisor.domain(DomainID(7)).startProcess(name: "right")
        let host = ConformanceHost(
            left: ConformanceParty(
                domain: .dom0, grants: left.grants,
                events: BrokenEventChannels(left.events, flaw: flaw), patience: .milliseconds(100)),
            right: ConformanceParty(
                domain: DomainID(7), grants: right.grants,
                events: BrokenEventChannels(right.events, flaw: flaw), patience: .milliseconds(100))
        )
        do {
            try check.run(host)
            return false
        } catch {
            return true
        }
    }
}
