import Synchronization
import XenCore
import XenGrant

/// Answers 'try again' so many times, as Xen does for a page that is paged out: to each copy segment at an even
/// offset, and to each mapping.
final class HesitantGrants: GrantBackend {
    private let real: any GrantBackend
    private let copyHesitation: Int
    private let mapHesitation: Int
    private let copies = Mutex<[Int]>([])
    private let maps = Mutex(0)

    /// The segments in each call so far.
    var copiedCounts: [Int] { copies.withLock { $0 } }

    /// How often a mapping was asked for.
    var mapCount: Int { maps.withLock { $0 } }

    init(_ real: any GrantBackend, copyHesitation: Int = 0, mapHesitation: Int = 0) {
        self.real = real
        self.copyHesitation = copyHesitation
        self.mapHesitation = mapHesitation
    }

    func copy(_ segments: [GrantCopySegment]) throws(GrantError) -> [GrantCopyStatus] {
        let round = copies.withLock { copies in
            copies.append(segments.count)
            return copies.count
        }
        let statuses = try real.copy(segments)
        return zip(segments, statuses).map { segment, status in
            guard case .read(let location, _) = segment, location.offset % 2 == 0 else {
                return status
            }
            return round <= copyHesitation ? .again : status
        }
    }

    func map(
        _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawMapping {
        let round = maps.withLock { maps in
            maps += 1
            return maps
        }
        guard round > mapHesitation else {
            throw GrantError(.again, errorNumber: .again, "\(pages): a page is paged out")
        }
        return try real.map(pages, access: access, notification: notification)
    }

    func share(
        pageCount: Int, with domain: DomainID, access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawShare {
        try real.share(
            pageCount: pageCount, with: domain, access: access, notification: notification)
    }

    func unshare(_ share: RawShare) throws(GrantError) { try real.unshare(share) }

    func unmap(_ mapping: RawMapping) throws(GrantError) { try real.unmap(mapping) }
}
