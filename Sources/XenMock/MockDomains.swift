import XenCore
import XenDomain

/// The mock hypervisor's answers to questions about its domains.
struct MockDomains: DomainBackend {
    let hypervisor: MockHypervisor

    func status(of domain: DomainID) throws(DomainError) -> DomainStatus? {
        hypervisor.state.withLock { state in
            state.domains[domain].map { $0.isSuspended || $0.hasShutDown ? .shutDown : .running }
        }
    }
}
