import XenCore
import XenGrant
import XenSystem

/// An entry of a domain's grant table.
struct GrantState: Sendable {
    let frame: Int
    let peer: DomainID
    let access: GrantAccess
    /// The share that this page is part of.
    let share: UInt64
    /// How often it is mapped now.
    var mapCount = 0
}

/// Pages that one process granted together.
struct ShareState: Sendable {
    let process: ProcessID
    let processName: String
    let domain: DomainID
    let peer: DomainID
    let references: [GrantReference]
    let notification: UnmapNotification?
    let since = ContinuousClock.now
    /// The owner's view. Nil in quarantine: the process has died, and the peer still maps a page.
    var frames: MappedFrames?
}

/// Pages that one process mapped together, of one granter or of several.
struct MappingState: Sendable {
    let process: ProcessID
    let pages: [GrantedPage]
    /// The lives of the granters in which they granted the pages.
    let granterGenerations: [DomainID: UInt64]
    let notification: UnmapNotification?
    let since = ContinuousClock.now
    let frames: MappedFrames
}

extension DomainState {
    /// Frames that nobody uses. Their bytes are whatever was left there.
    func takeFrames(_ count: Int, of id: DomainID) throws(SystemFailure) -> [Int] {
        let memory = if let memory { memory } else { try DomainMemory(of: id) }
        self.memory = memory
        let missing = count - freeFrames.count
        if missing > 0 {
            try memory.resize(frameCount: frameCount + missing)
            freeFrames += frameCount..<(frameCount + missing)
            frameCount += missing
        }
        defer { freeFrames.removeLast(count) }
        return Array(freeFrames.suffix(count))
    }

    /// A reference that names no grant. The one that was freed last comes first, as on Linux.
    func takeReference() -> GrantReference {
        if let reference = freeReferences.popLast() { return reference }
        defer { firstUnusedReference += 1 }
        return GrantReference(firstUnusedReference)
    }

    /// Ends a grant that nobody maps.
    func endGrant(_ reference: GrantReference) {
        guard let grant = grants.removeValue(forKey: reference) else { return }
        freeFrames.append(grant.frame)
        freeReferences.append(reference)
    }
}
