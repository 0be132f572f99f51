import Testing
import XenCore
import XenMock
import XenTesting

/// A suite that cannot fail proves nothing: each flaw must fail at least one check.
@Suite struct BrokenEventChannelsTests {
    @Test(arguments: BrokenEventChannels.Flaw.allCases)
    func suiteNotices(flaw: BrokenEventChannels.Flaw) throws {
        #expect(try EventChannelConformance.checks.contains { try fails($0, flaw) })
    }

    private func fails(_ check: ConformanceCheck, _ flaw: BrokenEventChannels.Flaw) throws -> Bool {
        let hypervisor = MockHypervisor()
        let left = hypervisor.domain(.dom0).startProcess(name: "left")
        let right = hypervisor.domain(DomainID(7)).startProcess(name: "right")
        let host = ConformanceHost(
            left: ConformanceParty(
                domain: .dom0, grants: left.grants,
                events: try BrokenEventChannels(left.events, flaw: flaw),
                patience: .milliseconds(100)),
            right: ConformanceParty(
                domain: DomainID(7), grants: right.grants,
                events: try BrokenEventChannels(right.events, flaw: flaw),
                patience: .milliseconds(100))
        )
        do {
            try check.run(host)
            return false
        } catch {
            return true
        }
    }
}
