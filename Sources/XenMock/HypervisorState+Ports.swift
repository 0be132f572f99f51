import DequeModule
import XenCore
import XenEvtchn
import XenSystem

/// One end of an event channel.
struct PortState: Sendable {
    enum Binding: Sendable {
        /// Waits for a domain, or has lost its peer: a notification goes nowhere.
        case unbound(DomainID)
        case interdomain(DomainID, EventPort)
    }

    var binding: Binding
    /// The handle that made it; nil once that has closed it while a notification still needs it.
    var owner: ProcessID?
    /// Unmap notifications that will ring it.
    var holdCount = 0
    /// From the moment it rings until it is unmasked.
    var isMasked = false
    /// In its owner's queue, not read yet.
    var isQueued = false
    /// Rang while it was masked.
    var isPending = false

    var peer: DomainID {
        switch binding {
        case .unbound(let domain), .interdomain(let domain, _): domain
        }
    }
}

extension DomainState {
    /// Opens the lowest port that is free, as Xen does. Nil when the limit is reached.
    fileprivate mutating func takePort(_ state: PortState) -> EventPort? {
        while ports[EventPort(lowestFreePort)] != nil { lowestFreePort += 1 }
        guard lowestFreePort <= UInt32(clamping: limits.portCount) else { return nil }
        let port = EventPort(lowestFreePort)
        ports[port] = state
        return port
    }

    fileprivate mutating func freePort(_ port: EventPort) {
        ports[port] = nil
        lowestFreePort = min(lowestFreePort, port.rawValue)
    }
}

extension HypervisorState {
    mutating func bindUnbound(
        for peer: DomainID, by process: ProcessID
    ) throws(EventChannelError) -> EventPort {
        let domain = try eventUser(process).domain
        return try openPort(.unbound(peer == .ownDomain ? domain : peer), in: domain, for: process)
    }

    mutating func bindInterdomain(
        to remotePort: EventPort, of requested: DomainID, by process: ProcessID
    ) throws(EventChannelError) -> EventPort {
        let domain = try eventUser(process).domain
        let remote = requested == .ownDomain ? domain : requested
        guard domains[remote] != nil else {
            throw EventChannelError(
                .badRemotePort, errorNumber: .noSuchProcess, "\(remote) does not exist")
        }
        guard case .unbound(domain)? = domains[remote]?.ports[remotePort]?.binding else {
            throw EventChannelError(
                .badRemotePort, errorNumber: .invalid,
                "\(remotePort) of \(remote) is not open for \(domain), or is bound already")
        }
        let port = try openPort(.interdomain(remote, remotePort), in: domain, for: process)
        domains[remote]?.ports[remotePort]?.binding = .interdomain(domain, port)
        ring(port, of: domain)
        return port
    }

    private mutating func openPort(
        _ binding: PortState.Binding, in domain: DomainID, for process: ProcessID
    ) throws(EventChannelError) -> EventPort {
        guard let port = domains[domain]?.takePort(PortState(binding: binding, owner: process))
        else {
            let limit = domains[domain]?.limits.portCount ?? 0
            throw EventChannelError(
                .limitReached, errorNumber: .noSpace, "\(domain) has all of its \(limit) ports open"
            )
        }
        return port
    }

    mutating func unbind(
        _ port: EventPort, by process: ProcessID
    ) throws(EventChannelError) {
        disown(port, of: try domain(owning: port, process))
    }

    /// Closes a port for its owner. The kernel keeps it while an unmap notification needs it.
    mutating func disown(_ port: EventPort, of domain: DomainID) {
        domains[domain]?.ports[port]?.owner = nil
        closeIfUnused(port, of: domain)
    }

    mutating func closeIfUnused(_ port: EventPort, of domain: DomainID) {
        guard let state = domains[domain]?.ports[port], state.owner == nil, state.holdCount == 0
        else { return }
        domains[domain]?.freePort(port)
        // The peer is not told: its end waits for this domain again.
        if case .interdomain(let remote, let remotePort) = state.binding {
            domains[remote]?.ports[remotePort]?.binding = .unbound(domain)
        }
    }

    /// The domain of a process that owns the port.
    private func domain(
        owning port: EventPort, _ process: ProcessID
    ) throws(EventChannelError) -> DomainID {
        let domain = try eventUser(process).domain
        guard domains[domain]?.ports[port]?.owner == process else {
            throw EventChannelError(
                .badPort, errorNumber: .notConnected, "\(port) was not opened with this handle")
        }
        return domain
    }

    func eventUser(_ process: ProcessID) throws(EventChannelError) -> ProcessState {
        guard let state = processes[process] else {
            throw EventChannelError(
                .unavailable, errorNumber: .badDescriptor,
                "the process was killed, and its handle closed")
        }
        return state
    }
}

// Ringing, and being woken.
extension HypervisorState {
    mutating func notify(_ port: EventPort, by process: ProcessID) throws(EventChannelError) {
        ringPeer(of: port, in: try domain(owning: port, process))
    }

    mutating func ringPeer(of port: EventPort, in domain: DomainID) {
        if case .interdomain(let remote, let remotePort)? = domains[domain]?.ports[port]?.binding {
            ring(remotePort, of: remote)
        }
    }

    private mutating func ring(_ port: EventPort, of domain: DomainID) {
        guard let owner = domains[domain]?.ports[port]?.owner else { return }
        if domains[domain]?.ports[port]?.isMasked == true {
            domains[domain]?.ports[port]?.isPending = true
            return
        }
        domains[domain]?.ports[port]?.isMasked = true
        domains[domain]?.ports[port]?.isQueued = true
        processes[owner]?.rung.append(port)
        wake(owner)
    }

    private mutating func wake(_ process: ProcessID) {
        guard processes[process]?.isWaiting == true else { return }
        processes[process]?.isWaiting = false
        processes[process]?.doorbell?.wakeup.signal()
    }

    /// Linux ignores a port that is not the handle's: it may have been closed since it rang.
    mutating func unmask(_ port: EventPort, by process: ProcessID) throws(EventChannelError) {
        let domain = try eventUser(process).domain
        guard let state = domains[domain]?.ports[port], state.owner == process, !state.isQueued
        else { return }
        domains[domain]?.ports[port]?.isMasked = false
        domains[domain]?.ports[port]?.isPending = false
        if state.isPending { ring(port, of: domain) }
    }

    mutating func interrupt(_ process: ProcessID) {
        processes[process]?.isInterrupted = true
        wake(process)
    }

    /// What a look at the queue found.
    enum Look: Sendable {
        case event(EventPort)
        case interrupted
        case nothing
    }

    mutating func look(by process: ProcessID) throws(EventChannelError) -> Look {
        let state = try eventUser(process)
        processes[process]?.isWaiting = false
        if state.isInterrupted {
            processes[process]?.isInterrupted = false
            return .interrupted
        }
        while let port = processes[process]?.rung.popFirst() {
            let rung = domains[state.domain]?.ports[port]
            guard rung?.owner == process, rung?.isQueued == true else { continue }
            domains[state.domain]?.ports[port]?.isQueued = false
            return .event(port)
        }
        return .nothing
    }

    /// After a look that found nothing: from now on what rings signals the doorbell.
    mutating func sleep(_ process: ProcessID) throws(EventChannelError) -> Doorbell {
        processes[process]?.isWaiting = true
        if let doorbell = processes[process]?.doorbell { return doorbell }
        do {
            let doorbell = try Doorbell()
            processes[process]?.doorbell = doorbell
            return doorbell
        } catch {
            throw EventChannelError(
                .limitReached, errorNumber: error.errorNumber, "a doorbell: \(error.call)")
        }
    }
}

extension DomainID {
    /// `DOMID_SELF`, with which a domain may name itself (xen/include/public/xen.h).
    fileprivate static let ownDomain = DomainID(0x7FF0)
}
