import Synchronization
import XenCore
import XenEvtchn
import XenSystem

/// The mock's event channels with one thing wrong: what the conformance suite must notice.
final class BrokenEventChannels: EventChannelBackend {
    enum Flaw: CaseIterable {
        case neverRings, everyOtherRingIsLost, neverMasks, neverUnmasks, firesNothingOnBinding
        case wrongPort, losesInterruption, interruptionSticks, endsEarly, ignoresBadPort
        case ignoresBadRemotePort, neverMasksExplicitly, losesWhatRingsMasked, rearmEndsMask
        case neverRestricts, restrictsMoreThanOnce, bindsInterruptsTwice, neverReadable
        case staleHandleGoesOn, successorEachTime, epochStandsStill
    }

    private let base: any EventChannelBackend
    private let flaw: Flaw
    private let count = Mutex(0)
    private let masked = Mutex<Set<EventPort>>([])
    private let silence: Wakeup

    init(_ base: any EventChannelBackend, flaw: Flaw) throws {
        self.base = base
        self.flaw = flaw
        silence = try Wakeup()
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

    func bindVirtualInterrupt(_ interrupt: VirtualInterrupt) throws(EventChannelError) -> EventPort
    {
        do {
            return try base.bindVirtualInterrupt(interrupt)
        } catch {
            guard flaw == .bindsInterruptsTwice else { throw error }
            return try base.bindUnbound(for: .dom0)
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

    func mask(_ port: EventPort) throws(EventChannelError) {
        if flaw == .losesWhatRingsMasked { masked.withLock { _ = $0.insert(port) } }
        if flaw != .neverMasksExplicitly { try base.mask(port) }
    }

    func unmask(_ port: EventPort) throws(EventChannelError) {
        if flaw == .neverUnmasks { return }
        try base.unmask(port)
        guard masked.withLock({ $0.remove(port) }) != nil else { return }
        if let lost = try base.nextPending(until: .now) { try base.rearm(lost) }
    }

    func rearm(_ port: EventPort) throws(EventChannelError) {
        switch flaw {
        case .neverUnmasks: break
        case .rearmEndsMask: try base.unmask(port)
        default: try base.rearm(port)
        }
    }

    func restrict(to domain: DomainID) throws(EventChannelError) {
        if flaw == .neverRestricts { return }
        do {
            try base.restrict(to: domain)
        } catch {
            if flaw != .restrictsMoreThanOnce { throw error }
        }
    }

    var descriptor: Int32 {
        get throws(EventChannelError) {
            flaw == .neverReadable ? silence.descriptor : try base.descriptor
        }
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

    var epoch: Epoch { flaw == .epochStandsStill ? .none : base.epoch }

    var staleEventCount: Int { base.staleEventCount }

    func successorAfterResume() throws(EventChannelError) -> any EventChannelBackend {
        if flaw == .staleHandleGoesOn { return self }
        if flaw == .successorEachTime, let next = try? BrokenEventChannels(base, flaw: flaw) {
            _ = try base.successorAfterResume()
            return next
        }
        return try base.successorAfterResume()
    }
}
