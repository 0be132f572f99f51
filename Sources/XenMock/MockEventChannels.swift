import Synchronization
import XenCore
import XenEvtchn
import XenSystem

/// A mock process's handle on its domain's event channels.
final class MockEventChannels: EventChannelBackend {
    private let process: ProcessID
    private let hypervisor: MockHypervisor

    init(process: ProcessID, hypervisor: MockHypervisor) {
        self.process = process
        self.hypervisor = hypervisor
    }

    func bindUnbound(for domain: DomainID) throws(EventChannelError) -> EventPort {
        try hypervisor.state.withLock { (state) throws(EventChannelError) in
            try state.bindUnbound(for: domain, by: process)
        }
    }

    func bindInterdomain(
        to remotePort: EventPort, of domain: DomainID
    ) throws(EventChannelError) -> EventPort {
        try hypervisor.state.withLock { (state) throws(EventChannelError) in
            try state.bindInterdomain(to: remotePort, of: domain, by: process)
        }
    }

    func unbind(_ port: EventPort) throws(EventChannelError) {
        try hypervisor.state.withLock { (state) throws(EventChannelError) in
            try state.unbind(port, by: process)
        }
    }

    func notify(_ port: EventPort) throws(EventChannelError) {
        try hypervisor.state.withLock { (state) throws(EventChannelError) in
            try state.notify(port, by: process)
        }
    }

    func unmask(_ port: EventPort) throws(EventChannelError) {
        try hypervisor.state.withLock { (state) throws(EventChannelError) in
            try state.unmask(port, by: process)
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
        try hypervisor.state.withLock { (state) throws(EventChannelError) in
            let look = try state.look(by: process)
            guard case .nothing = look else { return (look, nil) }
            return (look, try state.sleep(process))
        }
    }

    func interrupt() {
        hypervisor.state.withLock { $0.interrupt(process) }
    }
}
