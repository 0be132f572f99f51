import Synchronization
public import XenCore
public import XenEvtchn

/// One life of a domain of a `MockHypervisor`.
public struct MockDomain: Sendable {
    public let id: DomainID
    let generation: UInt64
    let hypervisor: MockHypervisor

    /// What this domain may hold. A lower limit takes nothing away that is held already. Of a life that is over it
    /// means nothing.
    public var limits: MockLimits {
        get {
            hypervisor.state.withLock {
                $0.domain(id, generation: generation)?.limits ?? MockLimits()
            }
        }
        nonmutating set {
            hypervisor.state.withLock { $0.domain(id, generation: generation)?.limits = newValue }
        }
    }

    /// Starts a process: one that has just opened Xen's grant and event devices.
    ///
    /// - Parameter name: for the leak report.
    public func startProcess(name: String) -> MockProcess {
        let process = hypervisor.state.withLock {
            $0.startProcess(name: name, in: id, generation: generation)
        }
        guard let process else { preconditionFailure("\(id) was destroyed") }
        return MockProcess(id: process, name: name, domain: self)
    }

    /// Raises a virtual interrupt in this domain, as the hypervisor does.
    ///
    /// A global one rings in dom0 alone; whoever raises it in a guest has made a mistake.
    /// - Returns: whether a port was bound to it. If none was, nobody ever learns of it.
    @discardableResult
    public func raise(_ interrupt: VirtualInterrupt) -> Bool {
        precondition(interrupt.scope != nil, "no virtual interrupt has this number")
        precondition(
            interrupt.scope != .global || id == .dom0, "\(interrupt) goes to dom0, not to \(id)")
        return hypervisor.state.withLock { state in
            state.domain(id, generation: generation) != nil && state.raise(interrupt, in: id)
        }
    }
}
