import XenCore
import XenGrant

/// The mock's grants with one thing wrong: what the conformance suite must notice.
final class BrokenGrants: GrantBackend {
    enum Flaw: CaseIterable {
        case leavesOldBytes, reversesPages, mapsFirstPageOnly, reservedReference
        case ignoresWrongDomain, mapsFirstDomainOnly, ignoresRevocation, ignoresReadOnly,
            mapsWritable
        case forgetsToUnmap, unmapsTwice, dropsNotification, ringsOnly
        case copiesFromPageStart, copiesNothing, skipsLastCopy, alwaysDone, oneStatusForAll
        case shiftsStatuses, copiesPastRange
    }

    private let base: any GrantBackend
    private let flaw: Flaw

    init(_ base: any GrantBackend, flaw: Flaw) {
        self.base = base
        self.flaw = flaw
    }

    func share(
        pageCount: Int, with domain: DomainID, access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawShare {
        let share = try base.share(
            pageCount: pageCount, with: domain,
            access: flaw == .ignoresReadOnly ? .readWrite : access,
            notification: broken(notification))
        switch flaw {
        case .leavesOldBytes:
            share.memory.store([0xEE], at: share.memory.byteCount - 1)
        case .reservedReference:
            return RawShare(
                id: share.id, references: share.references.map { _ in GrantReference(1) },
                memory: share.memory)
        default: break
        }
        return share
    }

    func unshare(_ share: RawShare) throws(GrantError) {
        if flaw != .ignoresRevocation { try base.unshare(share) }
    }

    func map(
        _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawMapping {
        let pages =
            switch flaw {
            case .reversesPages: Array(pages.reversed())
            case .mapsFirstPageOnly: pages.map { _ in pages[0] }
            case .ignoresWrongDomain: pages.map { GrantedPage($0.reference, of: .dom0) }
            case .mapsFirstDomainOnly:
                pages.map { GrantedPage($0.reference, of: pages[0].domain) }
            default: pages
            }
        return try base.map(
            pages, access: flaw == .mapsWritable ? .readWrite : access,
            notification: broken(notification))
    }

    func unmap(_ mapping: RawMapping) throws(GrantError) {
        if flaw == .forgetsToUnmap { return }
        do {
            try base.unmap(mapping)
        } catch {
            if flaw != .unmapsTwice { throw error }
        }
    }

    func copy(_ segments: [GrantCopySegment]) throws(GrantError) -> [GrantCopyStatus] {
        var statuses: [GrantCopyStatus]
        switch flaw {
        case .copiesNothing: return segments.map { _ in .done }
        case .copiesFromPageStart: statuses = try base.copy(segments.map(\.fromPageStart))
        case .copiesPastRange: statuses = try base.copy(segments.map(\.cutToItsPage))
        case .skipsLastCopy: statuses = try base.copy(segments.dropLast()) + [.done]
        default: statuses = try base.copy(segments)
        }
        switch flaw {
        case .alwaysDone: return statuses.map { _ in .done }
        case .oneStatusForAll:
            return statuses.map { _ in statuses.min { $0.rawValue < $1.rawValue } ?? .done }
        case .shiftsStatuses:
            statuses.append(statuses.removeFirst())
            return statuses
        default: return statuses
        }
    }

    private func broken(_ notification: UnmapNotification?) -> UnmapNotification? {
        switch flaw {
        case .dropsNotification: nil
        case .ringsOnly: notification.map { UnmapNotification(notifyPort: $0.notifyPort) }
        default: notification
        }
    }
}

extension GrantCopySegment {
    fileprivate var fromPageStart: GrantCopySegment {
        switch self {
        case .read(var location, let memory):
            location.offset = 0
            return .read(location, into: memory)
        case .write(let memory, var location):
            location.offset = 0
            return .write(memory, to: location)
        case .relay: return self
        }
    }

    fileprivate var cutToItsPage: GrantCopySegment {
        guard case .read(let location, let memory) = self else { return self }
        let count = max(0, min(memory.byteCount, Page.byteCount - location.offset))
        return .read(location, into: memory.slice(offset: 0, byteCount: count))
    }
}
