import XenCore
import XenGrant
import XenSystem

extension HypervisorState {
    /// What gntdev does: all pages or none. Whatever is wrong with a reference, Linux says EINVAL.
    mutating func map(
        _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?,
        by process: ProcessID
    ) throws(GrantError) -> RawMapping {
        let owner = try grantUser(process)
        try refuseMapping(of: pages)
        let places = try pages.map { (page) throws(GrantError) in
            try frame(of: page, for: owner.domain, access)
        }
        if notification?.clearByte != nil, access == .readOnly {
            throw GrantError(
                .refused, errorNumber: .invalid, "a read-only mapping cannot clear a byte on unmap")
        }
        let frames: MappedFrames
        do {
            frames = try MappedFrames(places, access: access)
        } catch {
            throw GrantError(error, "addresses for a mapping")
        }
        try hold(notification, of: owner.domain)
        var generations: [DomainID: UInt64] = [:]
        for page in pages {
            domains[page.domain]?.grants[page.reference]?.mapCount += 1
            generations[page.domain] = domains[page.domain]?.incarnation
        }
        let id = nextID()
        mappings[id] = MappingState(
            process: process, pages: pages, granterGenerations: generations,
            notification: notification, frames: frames)
        return RawMapping(id: id, memory: frames.memory)
    }

    private func frame(
        of page: GrantedPage, for mapper: DomainID, _ access: GrantAccess
    ) throws(GrantError) -> Frame {
        func refusal(_ why: String) -> GrantError {
            GrantError(.badReference, errorNumber: .invalid, "\(page): \(why)")
        }
        guard let domain = domains[page.domain] else { throw refusal("no such domain") }
        guard let grant = domain.grants[page.reference], let memory = domain.memory else {
            throw refusal("no such grant")
        }
        guard grant.peer == mapper else {
            throw refusal("granted to \(grant.peer), not to \(mapper)")
        }
        if access == .readWrite, grant.access == .readOnly {
            throw refusal("granted for reading only")
        }
        return Frame(number: grant.frame, memory: memory)
    }

    mutating func unmap(_ raw: RawMapping, by process: ProcessID) throws(GrantError) {
        remains[raw.id] = nil
        _ = try grantUser(process)
        if ended.remove(raw.id) != nil { return }
        guard mappings[raw.id]?.process == process else {
            throw GrantError(
                .notFound, errorNumber: .invalid, "this process has no such mapping (any more)")
        }
        _ = releaseMapping(raw.id)
    }

    /// Ends a mapping, fires its notification, and frees what was kept only for its sake.
    ///
    /// - Returns: the addresses, which go with the last reference to them.
    mutating func releaseMapping(_ id: UInt64) -> MappedFrames? {
        guard let mapping = mappings.removeValue(forKey: id) else { return nil }
        if let domain = processes[mapping.process]?.domain {
            fire(mapping.notification, on: mapping.frames, of: domain)
        }
        let living = mapping.pages.filter {
            domains[$0.domain]?.incarnation == mapping.granterGenerations[$0.domain]
        }
        for page in living { domains[page.domain]?.grants[page.reference]?.mapCount -= 1 }
        for page in living {
            if let share = domains[page.domain]?.grants[page.reference]?.share { sweep(share) }
        }
        return mapping.frames
    }
}

// Unmap notifications, of shares and of mappings.
extension HypervisorState {
    /// Keeps the port open until the notification has fired, even if its own handle closes it first.
    mutating func hold(_ notification: UnmapNotification?, of domain: DomainID) throws(GrantError) {
        guard let port = notification?.notifyPort else { return }
        guard domains[domain]?.ports[port] != nil else {
            throw GrantError(
                .refused, errorNumber: .invalid,
                "cannot ring \(port) on unmap: not open in \(domain)")
        }
        domains[domain]?.ports[port]?.holdCount += 1
    }

    mutating func unhold(_ notification: UnmapNotification?, of domain: DomainID) {
        guard let port = notification?.notifyPort else { return }
        domains[domain]?.ports[port]?.holdCount -= 1
        closeIfUnused(port, of: domain)
    }

    mutating func fire(
        _ notification: UnmapNotification?, on frames: MappedFrames, of domain: DomainID
    ) {
        if let byte = notification?.clearByte { frames.memory.store([0], at: byte) }
        if let port = notification?.notifyPort { ringPeer(of: port, in: domain) }
        unhold(notification, of: domain)
    }
}
