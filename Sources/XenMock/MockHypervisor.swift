public import XenCore
public import XenDomain

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
    let state = HypervisorLock()

    public init() {}

    /// The domain with this id. It comes into being at the first call, and again after `destroy`.
    public func domain(_ id: DomainID) -> MockDomain {
        precondition(id < .firstReserved, "no domain can have this id")
        let generation = state.withLock { $0.createDomain(id) }
        return MockDomain(id: id, generation: generation, hypervisor: self)
    }

    /// What the hypervisor knows of its domains.
    ///
    /// A domain that was destroyed is gone at once; with Xen it is dying for as long as anybody maps its memory.
    public var domains: some DomainBackend { MockDomains(hypervisor: self) }

    /// Ends a domain as `xl destroy` does: its processes die, its ports close, its grants are void.
    ///
    /// What peers still map of it stays theirs until they unmap it. Raises `.domainException` in dom0.
    public func destroy(_ domain: MockDomain) {
        state.withLock { $0.destroyDomain(domain.id, generation: domain.generation) }
    }

    /// What is left of a domain that has shut down or crashed, before it is destroyed: it is as it was, and stands still.
    ///
    /// Its processes live on for the leak report, and are to make no calls. Raises `.domainException` in dom0.
    public func shutDown(_ domain: MockDomain) {
        state.withLock { $0.shutDownDomain(domain.id, generation: domain.generation) }
    }

    /// Suspends a domain as `xl save` does, or the first half of a migration: to all others it is as if it had ended.
    ///
    /// Its ports are gone, their peers' ends wait for this domain again, and its grants are void: what peers map of
    /// it stays theirs until they unmap it. Its processes live on in the image, to go on at `resume`; until then
    /// they are to make no calls. Their pages keep what is in them, but nobody else sees it any more. What they had
    /// shared and mapped ends when they let go of it, without an error, as on Linux. Raises `.domainException` in dom0.
    public func suspend(_ domain: MockDomain) {
        state.withLock { $0.suspendDomain(domain.id, generation: domain.generation) }
    }

    /// Goes on with a domain that was suspended, as `xl restore` does, here under the number that it had.
    ///
    /// All port numbers and grant references are free again. A process learns nothing of it: its event handle still
    /// believes in its ports, and what it does to them hits whoever has their numbers now, as on Linux
    /// (see `EventChannels.afterResume()`). Where Linux's kernel would stop, the mock throws `.refused`.
    public func resume(_ domain: MockDomain) {
        state.withLock { $0.resumeDomain(domain.id, generation: domain.generation) }
    }
}
