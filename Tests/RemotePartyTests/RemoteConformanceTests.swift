import RemoteParties
import Testing
import XenCore
import XenTesting

/// The suites across domains as the lab runs them on real Xen, on the mock: the right party is reached over a link.
@Suite struct RemoteConformanceTests {
    static let domains = [(DomainID.dom0, DomainID(7)), (DomainID(7), .dom0)]

    @Test(arguments: GrantConformance.checks + EventChannelConformance.checks, domains)
    func mock(check: ConformanceCheck, domains: (DomainID, DomainID)) throws {
        let stage = MockedRemote(here: domains.0, there: domains.1)
        try stage.run { try stage.pass(check, with: $0) }
    }

    @Test(arguments: domains)
    func aProcessIsKilledInTheOtherDomain(here: DomainID, there: DomainID) throws {
        let stage = MockedRemote(here: here, there: there)
        try stage.run { remote in
            try stage.pass(.killedProcess { try remote.hold($0) }, with: remote)
        }
    }
}
