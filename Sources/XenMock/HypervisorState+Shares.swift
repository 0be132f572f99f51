import XenCore
import XenGrant
import XenSystem

extension HypervisorState {
    /// What gntalloc does: zeroed pages, one reference each.
    mutating func share(
        pageCount: Int, with peer: DomainID, access: GrantAccess, notification: UnmapNotification?,
        by process: ProcessID
    ) throws(GrantError) -> RawShare {
        let owner = try grantUser(process)
        let limit = domains[owner.domain]?.limits.grantCount ?? 0
        let used = domains[owner.domain]?.grants.count ?? 0
        guard pageCount <= limit - used else {
            throw GrantError(
                .limitReached, errorNumber: .noSpace,
                "\(owner.domain) has granted \(used) of at most \(limit) pages: no room for \(pageCount)"
            )
        }
        try hold(notification, of: owner.domain)

        let numbers: [Int]
        let frames: MappedFrames
        do {
            (numbers, frames) = try newFrames(pageCount, of: owner.domain)
        } catch {
            unhold(notification, of: owner.domain)
            throw GrantError(error, "pages to grant")
        }
        let id = nextID()
        let references = numbers.compactMap { frame in
            domains[owner.domain]?.grant(frame, of: id, to: peer, access)
        }
        shares[id] = ShareState(
            process: process, processName: owner.name, domain: owner.domain, peer: peer,
            references: references, notification: notification, frames: frames)
        return RawShare(id: id, references: references, memory: frames.memory)
    }

    private mutating func newFrames(
        _ count: Int, of domain: DomainID
    ) throws(SystemFailure) -> ([Int], MappedFrames) {
        let numbers = try domains[domain]?.takeFrames(count, of: domain) ?? []
        guard let memory = domains[domain]?.memory else { throw SystemFailure("domain", .noMemory) }
        do {
            let frames = try MappedFrames(
                numbers.map { Frame(number: $0, memory: memory) }, access: .readWrite)
            frames.memory.zero()
            return (numbers, frames)
        } catch {
            domains[domain]?.freeFrames += numbers
            throw error
        }
    }

    /// Revokes all of a share's grants, or none when one of them is mapped.
    mutating func unshare(_ raw: RawShare, by process: ProcessID) throws(GrantError) {
        remains[raw.id] = nil
        _ = try grantUser(process)
        if ended.remove(raw.id) != nil { return }
        guard let share = shares[raw.id], share.process == process else {
            throw GrantError(
                .notFound, errorNumber: .invalid, "this process has no such share (any more)")
        }
        let mapped = share.references.filter { isMapped($0, of: share.domain) }
        guard mapped.isEmpty else {
            throw GrantError(
                .inUse, errorNumber: .busy,
                "\(share.peer) still maps \(mapped): the pages stay granted; revoke them later")
        }
        shares[raw.id] = nil
        end(share)
    }

    /// Lets go of a dead process's share. While a peer maps a page of it, the kernel keeps it.
    ///
    /// - Returns: the dead process's view.
    mutating func abandonShare(_ id: UInt64) -> MappedFrames? {
        guard var share = shares.removeValue(forKey: id), let frames = share.frames else {
            return nil
        }
        if share.references.contains(where: { isMapped($0, of: share.domain) }) {
            fire(share.notification, on: frames, of: share.domain)
            share.frames = nil
            shares[id] = share
        } else {
            end(share)
        }
        return frames
    }

    /// Ends a share of which no page is mapped.
    private mutating func end(_ share: ShareState) {
        if let frames = share.frames { fire(share.notification, on: frames, of: share.domain) }
        for reference in share.references { domains[share.domain]?.endGrant(reference) }
    }

    /// Ends a share that was in quarantine, if nobody maps a page of it any more.
    mutating func sweep(_ id: UInt64) {
        guard let share = shares[id], share.frames == nil,
            !share.references.contains(where: { isMapped($0, of: share.domain) })
        else { return }
        shares[id] = nil
        end(share)
    }

    private func isMapped(_ reference: GrantReference, of domain: DomainID) -> Bool {
        (domains[domain]?.grants[reference]?.mapCount ?? 0) > 0
    }

    func grantUser(_ process: ProcessID) throws(GrantError) -> ProcessState {
        guard let state = processes[process] else {
            throw GrantError(
                .unavailable, errorNumber: .badDescriptor,
                "the process was killed, and its handle closed")
        }
        return state
    }
}

extension DomainState {
    fileprivate func grant(
        _ frame: Int, of share: UInt64, to peer: DomainID, _ access: GrantAccess
    ) -> GrantReference {
        let reference = takeReference()
        grants[reference] = GrantState(frame: frame, peer: peer, access: access, share: share)
        return reference
    }
}

extension GrantError {
    /// This machine, and not the peer, could not do what the mock needed.
    init(_ failure: SystemFailure, _ what: String) {
        self.init(.limitReached, errorNumber: failure.errorNumber, "\(what): \(failure.call)")
    }
}
