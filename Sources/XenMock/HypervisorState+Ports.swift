import DequeModule
import XenCore
import XenEvtchn
import XenSystem

/// One end of an event channel.
final class PortState: @unchecked Sendable {
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

    init(_ binding: Binding, owner: ProcessID) {
        self.binding = binding
        self.owner = owner
    }

    var peer: DomainID {
        switch binding {
        case .unbound(let domain), .interdomain(let domain, _): domain
        }
    }
}

extension DomainState {
    /// Opens the lowest port that is free, as Xen does. Nil when the limit is reached.
    fileprivate func takePort(_ state: PortState) -> EventPort? {
        while ports[EventPort(lowestFreePort)] != nil { lowestFreePort += 1 }
        guard lowestFreePort <= UInt32(clamping: limits.portCount) else { return nil }
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
        for peer: DomainID, by process: ProcessID
    ) throws(EventChannelError) -> EventPort {
        let domain = try eventUser(process).domain
        return try openPort(.unbound(peer == .ownDomain ? domain : peer), in: domain, for: process)
    }

    func bindInterdomain(
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

    private func openPort(
        _ binding: PortState.Binding, in domain: DomainID, for process: ProcessID
    ) throws(EventChannelError) -> EventPort {
        guard let port = domains[domain]?.takePort(PortState(binding, owner: process))
        else {
            let limit = domains[domain]?.limits.portCount ?? 0
            throw EventChannelError(
                .limitReached, errorNumber: .noSpace, "\(domain) has all of its \(limit) ports open"
            )
        }
        return port
    }

    func unbind(
        _ port: EventPort, by process: ProcessID
    ) throws(EventChannelError) {
        disown(port, of: try domain(owning: port, process))
    }

    /// Closes a port for its owner. The kernel keeps it while an unmap notification needs it.
    func disown(_ port: EventPort, of domain: DomainID) {
        domains[domain]?.ports[port]?.owner = nil
        closeIfUnused(port, of: domain)
    }

    func closeIfUnused(_ port: EventPort, of domain: DomainID) {
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

    private func eventUser(_ process: ProcessID) throws(EventChannelError) -> ProcessState {
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
    func notify(_ port: EventPort, by process: ProcessID) throws(EventChannelError) {
        ringPeer(of: port, in: try domain(owning: port, process))
    }

    func ringPeer(of port: EventPort, in domain: DomainID) {
        if case .interdomain(let remote, let remotePort)? = domains[domain]?.ports[port]?.binding {
            ring(remotePort, of: remote)
        }
    }

    private func ring(_ port: EventPort, of domain: DomainID) {
        guard let state = domains[domain]?.ports[port], let owner = state.owner else { return }
        if state.isMasked {
            state.isPending = true
            return
        }
        state.isMasked = true
        state.isQueued = true
        processes[owner]?.rung.append(port)
        wake(owner)
    }

    private func wake(_ id: ProcessID) {
        guard let process = processes[id], process.isWaiting else { return }
        process.isWaiting = false
        process.doorbell?.wakeup.signal()
    }

    /// Linux ignores a port that is not the handle's: it may have been closed since it rang.
    func unmask(_ port: EventPort, by process: ProcessID) throws(EventChannelError) {
        let domain = try eventUser(process).domain
        guard let state = domains[domain]?.ports[port], state.owner == process, !state.isQueued
        else { return }
        let isPending = state.isPending
        state.isMasked = false
        state.isPending = false
        if isPending { ring(port, of: domain) }
    }

    func interrupt(_ process: ProcessID) {
        processes[process]?.isInterrupted = true
        wake(process)
    }

    /// What a look at the queue found.
    enum Look: Sendable {
        case event(EventPort)
        case interrupted
        case nothing
    }

    func look(by id: ProcessID) throws(EventChannelError) -> Look {
        let process = try eventUser(id)
        process.isWaiting = false
        if process.isInterrupted {
            process.isInterrupted = false
            return .interrupted
        }
        while let port = process.rung.popFirst() {
            guard let state = domains[process.domain]?.ports[port], state.owner == id,
                state.isQueued
            else { continue }
            state.isQueued = false
            return .event(port)
        }
        return .nothing
    }

    /// After a look that found nothing: from now on what rings signals the doorbell.
    func sleep(_ id: ProcessID) throws(EventChannelError) -> Doorbell {
        let process = try eventUser(id)
        process.isWaiting = true
        if let doorbell = process.doorbell { return doorbell }
        do {
            let doorbell = try Doorbell()
            process.doorbell = doorbell
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
