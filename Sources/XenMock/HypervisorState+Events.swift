import XenCore
import XenEvtchn
import XenSystem

// Ringing, and being woken.
extension HypervisorState {
    func notify(_ port: EventPort, by handle: EventHandle) throws(EventChannelError) {
        let process = try eventUser(handle)
        // Linux still takes a port that died at a resume for the handle's, and rings whoever has its number now.
        let isGhost = process.ghosts.contains(port)
        ringPeer(of: port, in: isGhost ? process.domain : try domain(owning: port, handle))
    }

    func ringPeer(of port: EventPort, in domain: DomainID) {
        if case .interdomain(let remote, let remotePort)? = domains[domain]?.ports[port]?.binding {
            if arrives(at: remotePort, of: remote) { ring(remotePort, of: remote) }
        }
    }

    func ring(_ port: EventPort, of domain: DomainID) {
        guard let state = domains[domain]?.ports[port], let owner = state.owner else { return }
        follow(state.gate.ring(), port, of: owner)
    }

    private func follow(_ change: PortGate.Change, _ port: EventPort, of owner: EventHandle) {
        guard let process = processes[owner.process] else { return }
        switch change {
        case .waits where owner.epoch != process.eventEpoch: process.countStaleEvent()
        case .waits:
            process.queue(port)
            wake(process)
        case .waitsNoMore: process.takeBack(port)
        case .nothing, .mayRing: break
        }
    }

    private func wake(_ process: ProcessState) {
        guard process.isWaiting else { return }
        process.isWaiting = false
        if let doorbell = process.doorbell { awoken.add(doorbell) }
    }

    func mask(_ port: EventPort, by handle: EventHandle) throws(EventChannelError) {
        guard let state = try ownPort(port, handle) else { return }
        follow(state.gate.mask(), port, of: handle)
    }

    func unmask(_ port: EventPort, by handle: EventHandle) throws(EventChannelError) {
        guard let state = try ownPort(port, handle) else { return }
        follow(state.gate.unmask(), port, of: handle)
    }

    func rearm(_ port: EventPort, by handle: EventHandle) throws(EventChannelError) {
        guard let state = try ownPort(port, handle) else { return }
        follow(state.gate.rearm(), port, of: handle)
    }

    /// Nil for a port that is not the handle's: Linux ignores it, since it may have been closed since it rang.
    private func ownPort(
        _ port: EventPort, _ handle: EventHandle
    ) throws(EventChannelError) -> PortState? {
        let domain = try eventUser(handle).domain
        guard let state = domains[domain]?.ports[port], state.owner == handle else { return nil }
        return state
    }

    func interrupt(_ handle: EventHandle) {
        guard let process = try? eventUser(handle) else { return }
        process.isInterrupted = true
        wake(process)
    }

    /// What a look at the queue found.
    enum Look: Sendable {
        case event(EventPort)
        case interrupted
        case nothing
    }

    func look(by handle: EventHandle) throws(EventChannelError) -> Look {
        let process = try eventUser(handle)
        process.isWaiting = false
        if process.isInterrupted {
            process.isInterrupted = false
            return .interrupted
        }
        guard let port = process.takeNext() else { return .nothing }
        if !process.ghosts.contains(port) {
            _ = domains[process.domain]?.ports[port]?.gate.deliver()
        }
        return .event(port)
    }

    /// After a look that found nothing: from now on what rings signals the doorbell.
    func sleep(_ handle: EventHandle) throws(EventChannelError) -> Doorbell {
        let process = try eventUser(handle)
        process.isWaiting = true
        return try Doorbell.made(&process.doorbell)
    }

    /// What is readable exactly while an event waits.
    func readiness(of handle: EventHandle) throws(EventChannelError) -> Doorbell {
        let process = try eventUser(handle)
        let isNew = process.readiness == nil
        let readiness = try Doorbell.made(&process.readiness)
        if isNew, !process.rung.isEmpty { readiness.wakeup.signal() }
        return readiness
    }
}
