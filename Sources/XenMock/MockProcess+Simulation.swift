import Synchronization
public import XenCore
import XenGrant

// What a test that plays all domains in one thread wants to know.
extension MockProcess {
    /// False once it was killed, or its domain destroyed.
    public var isAlive: Bool { domain.hypervisor.state.withLock { $0.processes[id] != nil } }

    /// Whether `nextPending` would return at once.
    public var hasPendingEvent: Bool {
        domain.hypervisor.state.withLock { state in
            state.processes[id].map { !$0.rung.isEmpty || $0.isInterrupted } ?? false
        }
    }

    /// Lends out all pages that the process may write at this moment: those it shares, then those of others that it
    /// has mapped for writing, each in the order of its age. For a peer that scribbles over all it can reach.
    ///
    /// - Parameter body: must not keep the views, nor call the hypervisor, which is locked meanwhile.
    public func withWritableMemory(_ body: ([SharedMemory]) -> Void) {
        domain.hypervisor.state.withLock { body($0.writableMemory(of: id)) }
    }
}

extension MockDomain {
    /// False once this life of the domain is over.
    public var isAlive: Bool {
        hypervisor.state.withLock { $0.domain(id, generation: generation) != nil }
    }
}

extension HypervisorState {
    fileprivate func writableMemory(of process: ProcessID) -> [SharedMemory] {
        let shares = self.shares.filter { $0.value.process == process }
            .sorted { $0.key < $1.key }.compactMap { $0.value.frames }
        let mappings = self.mappings.filter { $0.value.process == process }
            .sorted { $0.key < $1.key }.map { $0.value.frames }
        return (shares + mappings).filter { $0.access == .readWrite }.map(\.memory)
    }
}
