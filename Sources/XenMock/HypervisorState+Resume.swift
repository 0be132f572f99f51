import XenCore
import XenEvtchn
import XenGrant

// A domain that is suspended and resumed, restored or migrated.
extension HypervisorState {
    mutating func suspendDomain(_ id: DomainID, generation: UInt64) {
        guard let domain = domain(id, generation: generation), !domain.isSuspended else { return }
        for mapping in mappings.filter({ processes[$0.value.process]?.domain == id }).keys.sorted()
        {
            if let frames = releaseMapping(mapping) { keepContents(of: frames, mapping) }
        }
        for share in shares.filter({ $0.value.domain == id }).keys.sorted() {
            if let frames = shares.removeValue(forKey: share)?.frames {
                keepContents(of: frames, share)
            }
        }
        for port in domain.ports.keys.sorted() { endPort(port, of: id, domain) }
        domain.forgetAll(incarnation: nextID())
        domain.isSuspended = true
        _ = raise(.domainException, in: .dom0)
    }

    func resumeDomain(_ id: DomainID, generation: UInt64) {
        domain(id, generation: generation)?.isSuspended = false
    }

    /// The process goes on with what it sees at these addresses, alone.
    private mutating func keepContents(of frames: MappedFrames, _ id: UInt64) {
        let bytes = frames.memory.bytes(at: 0, count: frames.memory.byteCount)
        frames.detach()
        frames.memory.store(bytes, at: 0)
        remains[id] = frames
        ended.insert(id)
    }

    private func endPort(_ port: EventPort, of id: DomainID, _ domain: DomainState) {
        guard let state = domain.ports[port] else { return }
        if let owner = state.owner, let process = processes[owner.process],
            owner.epoch == process.eventEpoch
        {
            process.ghosts.insert(port)
        }
        if case .interdomain(let remote, let remotePort) = state.binding {
            domains[remote]?.ports[remotePort]?.binding = .unbound(id)
        }
    }

    /// - Returns: the process's handle for the time after the resume.
    func beginEpoch(after handle: EventHandle) throws(EventChannelError) -> EventHandle {
        let process = try eventUser(handle)
        process.beginEventEpoch()
        return EventHandle(process: handle.process, epoch: process.eventEpoch)
    }
}

extension DomainState {
    /// The tables of a domain that has just come into being.
    fileprivate func forgetAll(incarnation: UInt64) {
        self.incarnation = incarnation
        memory = nil
        frameCount = 0
        freeFrames = []
        grants = [:]
        freeReferences = []
        firstUnusedReference = 8
        ports = [:]
        virtualInterrupts = [:]
        lowestFreePort = 1
    }
}
