import XenCore
import XenEvtchn

/// One end of an event channel.
final class PortState: @unchecked Sendable {
    enum Binding: Sendable {
        /// Waits for a domain, or has lost its peer: a notification goes nowhere.
        case unbound(DomainID)
        case interdomain(DomainID, EventPort)
        /// Rung by the hypervisor itself.
        case virtual(VirtualInterrupt)
    }

    var binding: Binding
    /// The handle that made it; nil once that has closed it while a notification still needs it.
    var owner: EventHandle?
    let since = ContinuousClock.now
    /// Unmap notifications that will ring it.
    var holdCount = 0
    var gate = PortGate()

    init(_ binding: Binding, owner: EventHandle) {
        self.binding = binding
        self.owner = owner
    }

    /// Nil for a port that no domain is at the other end of.
    var peer: DomainID? {
        switch binding {
        case .unbound(let domain), .interdomain(let domain, _): domain
        case .virtual: nil
        }
    }
}

extension DomainState {
    /// Opens the lowest port that is free, as Xen does. Nil when the limit is reached.
    fileprivate func takePort(_ state: PortState) -> EventPort? {
        while ports[EventPort(lowestFreePort)] != nil { lowestFreePort += 1 }
        guard lowestFreePort <= UInt32(clamping: limits.greatestPort) else { return nil }
        let port = EventPort(lowestFreePort)
        ports[port] = state
        return port
    }

    fileprivate func freePort(_ port: EventPort) {
        ports[port] = nil
        lowestFreePort = min(lowestFreePort, port.rawValue)
    }
}

extension HypervisorState {
    func bindUnbound(
        for peer: DomainID, by handle: EventHandle
    ) throws(EventChannelError) -> EventPort {
        let domain = try eventUser(handle).domain
        try refuseIfRestricted(handle, "a port for \(peer)")
        return try openPort(.unbound(peer == .oneself ? domain : peer), in: domain, for: handle)
    }

    func bindInterdomain(
        to remotePort: EventPort, of requested: DomainID, by handle: EventHandle
    ) throws(EventChannelError) -> EventPort {
        let domain = try eventUser(handle).domain
        try refuseIfRestricted(handle, "a port of \(requested)", unlessTo: requested)
        let remote = requested == .oneself ? domain : requested
        guard let peer = domains[remote], !peer.isSuspended else {
            throw EventChannelError(
                .badRemotePort, errorNumber: .noSuchProcess, "\(remote) does not exist")
        }
        guard case .unbound(domain)? = domains[remote]?.ports[remotePort]?.binding else {
            throw EventChannelError(
                .badRemotePort, errorNumber: .invalid,
                "\(remotePort) of \(remote) is not open for \(domain), or is bound already")
        }
        let port = try openPort(.interdomain(remote, remotePort), in: domain, for: handle)
        domains[remote]?.ports[remotePort]?.binding = .interdomain(domain, port)
        ring(port, of: domain)
        return port
    }

    func bindVirtualInterrupt(
        _ interrupt: VirtualInterrupt, by handle: EventHandle
    ) throws(EventChannelError) -> EventPort {
        let domain = try eventUser(handle).domain
        try refuseIfRestricted(handle, "\(interrupt)")
        guard let scope = interrupt.scope else {
            throw EventChannelError(
                .refused, errorNumber: .invalid, "there is no virtual interrupt \(interrupt)")
        }
        if scope == .global, domain != .dom0 {
            throw EventChannelError(
                .handledElsewhere, errorNumber: .busy,
                "\(interrupt) is handled by \(DomainID.dom0), not by \(domain)")
        }
        if let port = domains[domain]?.virtualInterrupts[interrupt] {
            throw EventChannelError(
                .alreadyBound, errorNumber: .exists, "\(interrupt) is bound to \(port) already")
        }
        let port = try openPort(.virtual(interrupt), in: domain, for: handle)
        domains[domain]?.virtualInterrupts[interrupt] = port
        return port
    }

    func restrict(_ handle: EventHandle, to domain: DomainID) throws(EventChannelError) {
        try refuseIfRestricted(handle, "another restriction")
        guard domain != .dom0, domain < .firstReserved else {
            throw EventChannelError(
                .refused, errorNumber: .invalid, "a handle cannot be restricted to \(domain)")
        }
        processes[handle.process]?.restriction = domain
    }

    private func refuseIfRestricted(
        _ handle: EventHandle, _ what: @autoclosure () -> String, unlessTo domain: DomainID? = nil
    ) throws(EventChannelError) {
        guard let restriction = try eventUser(handle).restriction, restriction != domain else {
            return
        }
        throw EventChannelError(
            .notPermitted, errorNumber: .accessDenied,
            "\(what()) cannot be had: the handle is restricted to \(restriction)")
    }

    /// - Returns: whether a port is bound to the interrupt.
    func raise(_ interrupt: VirtualInterrupt, in domain: DomainID) -> Bool {
        guard let port = domains[domain]?.virtualInterrupts[interrupt] else { return false }
        ring(port, of: domain)
        return true
    }

    private func openPort(
        _ binding: PortState.Binding, in domain: DomainID, for handle: EventHandle
    ) throws(EventChannelError) -> EventPort {
        guard let state = domains[domain], !state.isSuspended else {
            throw EventChannelError(.unavailable, "\(domain) is suspended: nothing of it runs")
        }
        guard let port = state.takePort(PortState(binding, owner: handle)) else {
            throw EventChannelError(
                .limitReached, errorNumber: .noSpace,
                "\(domain) has all of its \(state.limits.greatestPort) ports open")
        }
        if processes[handle.process]?.ghosts.contains(port) == true {
            state.freePort(port)
            throw EventChannelError(
                .stale, errorNumber: .exists,
                "\(port) is one that this handle had before a resume: see afterResume()")
        }
        return port
    }

    func unbind(
        _ port: EventPort, by handle: EventHandle
    ) throws(EventChannelError) {
        if try eventUser(handle).ghosts.contains(port) {
            throw EventChannelError(
                .refused,
                "\(port) died at a resume: closing it stops Linux's kernel, or closes another's port; "
                    + "call afterResume() first")
        }
        disown(port, of: try domain(owning: port, handle))
    }

    /// Closes a port for its owner. The kernel keeps it while an unmap notification needs it.
    func disown(_ port: EventPort, of domain: DomainID) {
        if let state = domains[domain]?.ports[port], let owner = state.owner {
            if state.gate.isWaiting { processes[owner.process]?.takeBack(port) }
            state.owner = nil
        }
        closeIfUnused(port, of: domain)
    }

    func closeIfUnused(_ port: EventPort, of domain: DomainID) {
        guard let state = domains[domain]?.ports[port], state.owner == nil, state.holdCount == 0
        else { return }
        domains[domain]?.freePort(port)
        switch state.binding {
        case .unbound: break
        case .interdomain(let remote, let remotePort):
            // The peer is not told: its end waits for this domain again.
            domains[remote]?.ports[remotePort]?.binding = .unbound(domain)
        case .virtual(let interrupt):
            domains[domain]?.virtualInterrupts[interrupt] = nil
        }
    }

    /// The domain of a handle that owns the port.
    func domain(
        owning port: EventPort, _ handle: EventHandle
    ) throws(EventChannelError) -> DomainID {
        let domain = try eventUser(handle).domain
        guard domains[domain]?.ports[port]?.owner == handle else {
            throw EventChannelError(
                .badPort, errorNumber: .notConnected, "\(port) was not opened with this handle")
        }
        return domain
    }

    func eventUser(_ handle: EventHandle) throws(EventChannelError) -> ProcessState {
        guard let state = processes[handle.process] else {
            throw EventChannelError(
                .unavailable, errorNumber: .badDescriptor,
                "the process was killed, and its handle closed")
        }
        if state.eventEpoch != handle.epoch { throw .ended(handle.epoch) }
        return state
    }
}
