import XenCore
package import XenMock

/// Two processes in two domains of a mock: a guest's, and dom0's.
package struct MockStage: Sendable {
    package let hypervisor = MockHypervisor()
    package let guest: MockDomain
    package let front: MockProcess
    package let back: MockProcess

    package init() {
        guest = hypervisor.domain(DomainID(3))
        front = guest.startProcess(name: "front")
        back = hypervisor.domain(.dom0).startProcess(name: "back")
    }
}

/// A suite whose tests each begin on a stage of their own.
package protocol OnMockStage {
    var stage: MockStage { get }
}

extension OnMockStage {
    package var hypervisor: MockHypervisor { stage.hypervisor }
    package var guest: MockDomain { stage.guest }
    package var front: MockProcess { stage.front }
    package var back: MockProcess { stage.back }

    /// Suspends the guest and resumes it, of which its processes are not told.
    package func saveAndRestore() {
        hypervisor.suspend(guest)
        hypervisor.resume(guest)
    }
}
