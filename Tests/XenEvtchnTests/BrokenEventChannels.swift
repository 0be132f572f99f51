import Synchronization
import XenCore
import XenEvtchn

/// The mock's event channels with one thing wrong: what the conformance suite must notice.
final class BrokenEventChannels: EventChannelBackend {
    enum Flaw: CaseIterable {
        case neverRings, everyOtherRingIsLost, neverMasks, neverUnmasks, firesNothingOnBinding
        case wrongPort, losesInterruption, interruptionSticks, endsEarly, ignoresBadPort
        case ignoresBadRemotePort
    }

    private let base: any EventChannelBackend
    private let flaw: Flaw
    private let count = Mutex(0)

    init(_ base: any EventChannelBackend, flaw: Flaw) {
        self.base = base
        self.flaw = flaw
    }

    func bindUnbound(for domain: DomainID) throws(EventChannelError) -> EventPort {
        try base.bindUnbound(for: domain)
    }

    func bindInterdomain(
        to remotePort: EventPort, of domain: DomainID
    ) throws(EventChannelError) -> EventPort {
        do {
            let port = try base.bindInterdomain(to: remotePort, of: domain)
            if flaw == .firesNothingOnBinding, let port = try base.nextPending(until: .now) {
                try base.unmask(port)
            }
            return port
        } catch {
            guard flaw == .ignoresBadRemotePort else { throw error }
            return try base.bindUnbound(for: domain)
        }
    }

    func unbind(_ port: EventPort) throws(EventChannelError) {
        do {
            try base.unbind(port)
        } catch {
            if flaw != .ignoresBadPort { throw error }
        }
    }

    func notify(_ port: EventPort) throws(EventChannelError) {
        let number = count.withLock { count in
            count += 1
            return count
        }
        if flaw == .neverRings || flaw == .everyOtherRingIsLost && number % 2 == 0 { return }
        try base.notify(port)
    }

    func unmask(_ port: EventPort) throws(EventChannelError) {
        if flaw != .neverUnmasks { try base.unmask(port) }
    }

    func nextPending(until deadline: Deadline) throws(EventChannelError) -> EventPort? {
        let port = try base.nextPending(until: flaw == .endsEarly ? .now : deadline)
        switch (flaw, port) {
        case (.neverMasks, let port?):
            try base.unmask(port)
            return port
        case (.wrongPort, let port?):
            return EventPort(port.rawValue + 1)
        case (.interruptionSticks, nil):
            if !deadline.hasPassed { base.interrupt() }
            return nil
        default:
            return port
        }
    }

    func interrupt() {
        if flaw != .losesInterruption { base.interrupt() }
    }
}
