import Testing
import XenCore
import XenDomain
import XenMock

@Suite struct MockDomainsTests {
    @Test func aDomainsLife() throws {
        let hypervisor = MockHypervisor()
        let domains = hypervisor.domains
        let id = DomainID(3)
        #expect(try domains.status(of: id) == nil)
        let guest = hypervisor.domain(id)
        #expect(try domains.status(of: id) == .running)
        hypervisor.suspend(guest)
        #expect(try domains.status(of: id) == .shutDown)
        hypervisor.resume(guest)
        #expect(try domains.status(of: id) == .running)
        hypervisor.shutDown(guest)
        #expect(try domains.status(of: id) == .shutDown)
        hypervisor.destroy(guest)
        #expect(try domains.status(of: id) == nil)
    }
}
