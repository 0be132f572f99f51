import Synchronization
import XenCore
import XenGrant

/// Counts the pages that are mapped through it, each as often as it is.
final class CountingGrants: GrantBackend {
    final class Counter: Sendable {
        fileprivate let count = Atomic(0)
        var mapCount: Int { count.load(ordering: .acquiring) }
    }

    private let real: any GrantBackend
    private let counter: Counter

    init(_ real: any GrantBackend, _ counter: Counter) {
        self.real = real
        self.counter = counter
    }

    func share(
        pageCount: Int, with domain: DomainID, access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawShare {
        try real.share(
            pageCount: pageCount, with: domain, access: access, notification: notification)
    }

    func unshare(_ share: RawShare) throws(GrantError) { try real.unshare(share) }

    func map(
        _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawMapping {
        counter.count.add(pages.count, ordering: .acquiringAndReleasing)
        return try real.map(pages, access: access, notification: notification)
    }

    func unmap(_ mapping: RawMapping) throws(GrantError) { try real.unmap(mapping) }

    func copy(_ segments: [GrantCopySegment]) throws(GrantError) -> [GrantCopyStatus] {
        try real.copy(segments)
    }
}
