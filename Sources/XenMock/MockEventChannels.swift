import Synchronization
import XenCore
import XenEvtchn
import XenSystem

/// A mock process's handle on its domain's event channels.
final class MockEventChannels: EventChannelBackend {
    private let handle: EventHandle
    private let hypervisor: MockHypervisor
    /// Kept open for those who poll it, also when the process has died.
    private let readiness = Mutex<Doorbell?>(nil)
    private let successor = Mutex<MockEventChannels?>(nil)

    init(_ handle: EventHandle, hypervisor: MockHypervisor) {
        self.handle = handle
        self.hypervisor = hypervisor
    }

    func bindUnbound(for domain: DomainID) throws(EventChannelError) -> EventPort {
        try hypervisor.call(by: handle.process) { (state) throws(EventChannelError) in
            try state.bindUnbound(for: domain, by: handle)
        }
    }

    func bindInterdomain(
        to remotePort: EventPort, of domain: DomainID
    ) throws(EventChannelError) -> EventPort {
        try hypervisor.call(by: handle.process) { (state) throws(EventChannelError) in
            try state.bindInterdomain(to: remotePort, of: domain, by: handle)
        }
    }

    func bindVirtualInterrupt(_ interrupt: VirtualInterrupt) throws(EventChannelError) -> EventPort
    {
        try hypervisor.call(by: handle.process) { (state) throws(EventChannelError) in
            try state.bindVirtualInterrupt(interrupt, by: handle)
        }
    }

    func restrict(to domain: DomainID) throws(EventChannelError) {
        try hypervisor.call(by: handle.process) { (state) throws(EventChannelError) in
            try state.restrict(handle, to: domain)
        }
    }

    func unbind(_ port: EventPort) throws(EventChannelError) {
        try hypervisor.call(by: handle.process) { (state) throws(EventChannelError) in
            try state.unbind(port, by: handle)
        }
    }

    func notify(_ port: EventPort) throws(EventChannelError) {
        try hypervisor.call(by: handle.process) { (state) throws(EventChannelError) in
            try state.notify(port, by: handle)
        }
    }

    func mask(_ port: EventPort) throws(EventChannelError) {
        try hypervisor.call(by: handle.process) { (state) throws(EventChannelError) in
            try state.mask(port, by: handle)
        }
    }

    func rearm(_ port: EventPort) throws(EventChannelError) {
        try hypervisor.call(by: handle.process) { (state) throws(EventChannelError) in
            try state.rearm(port, by: handle)
        }
    }

    func unmask(_ port: EventPort) throws(EventChannelError) {
        try hypervisor.call(by: handle.process) { (state) throws(EventChannelError) in
            try state.unmask(port, by: handle)
        }
    }

    func nextPending(until deadline: Deadline) throws(EventChannelError) -> EventPort? {
        while true {
            let (look, doorbell) = try lookOrSleep()
            switch look {
            case .event(let port): return port
            case .interrupted: return nil
            case .nothing: break
            }
            guard let doorbell, !deadline.hasPassed else { return nil }
            do {
                try waitUntilReadable(doorbell.wakeup.descriptor, until: deadline)
            } catch {
                throw EventChannelError(
                    .refused, errorNumber: error.errorNumber, "waiting for an event: \(error.call)")
            }
            doorbell.wakeup.reset()
        }
    }

    private func lookOrSleep() throws(EventChannelError) -> (HypervisorState.Look, Doorbell?) {
        try hypervisor.call(by: handle.process) { (state) throws(EventChannelError) in
            let look = try state.look(by: handle)
            guard case .nothing = look else { return (look, nil) }
            return (look, try state.sleep(handle))
        }
    }

    func interrupt() {
        hypervisor.state.withLock { $0.interrupt(handle) }
    }

    var descriptor: Int32 {
        get throws(EventChannelError) {
            try readiness.withLock { (kept) throws(EventChannelError) in
                if let kept { return kept.wakeup.descriptor }
                let made = try hypervisor.state.withLock { (state) throws(EventChannelError) in
                    try state.readiness(of: handle)
                }
                kept = made
                return made.wakeup.descriptor
            }
        }
    }

    var epoch: Epoch { handle.epoch }

    var staleEventCount: Int {
        hypervisor.state.withLock { $0.processes[handle.process]?.staleEventCount ?? 0 }
    }

    func successorAfterResume() throws(EventChannelError) -> any EventChannelBackend {
        try successor.withLock { (successor) throws(EventChannelError) in
            if let successor { return successor }
            let next = try hypervisor.state.withLock { (state) throws(EventChannelError) in
                try state.beginEpoch(after: handle)
            }
            let made = MockEventChannels(next, hypervisor: hypervisor)
            successor = made
            return made
        }
    }
}
