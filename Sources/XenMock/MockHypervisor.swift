import Synchronization
public import XenCore

/// A hypervisor in memory, for tests: domains, their processes, real shared pages and doorbells.
///
///     let hypervisor = MockHypervisor()
///     let front = hypervisor.domain(DomainID(3)).startProcess(name: "front")
///     let back = hypervisor.domain(.dom0).startProcess(name: "back")
///     let share = try GrantTable(front.grants).share(pageCount: 1, with: .dom0)
///     let mapping = try GrantTable(back.grants).map(share.references, of: DomainID(3))
///     ...
///     try hypervisor.assertCleanedUp()
///
/// It refuses whatever Xen and Linux refuse, with the same errno, and is stricter in one place:
/// revoking a grant that a peer maps throws `.inUse`, where Linux hides the page away itself.
public final class MockHypervisor: Sendable {
    let state = Mutex(HypervisorState())

    public init() {}

    /// The domain with this id. It comes into being at the first call, and again after `destroy`.
    public func domain(_ id: DomainID) -> MockDomain {
        precondition(id < .firstReserved, "no domain can have this id")
        let generation = state.withLock { $0.createDomain(id) }
        return MockDomain(id: id, generation: generation, hypervisor: self)
    }

    /// Ends a domain as `xl destroy` does: its processes die, its ports close, its grants are void.
    ///
    /// What peers still map of it stays theirs until they unmap it.
    public func destroy(_ domain: MockDomain) {
        state.withLock { $0.destroyDomain(domain.id, generation: domain.generation) }
    }
}
