import XenCore
import XenGrant

/// The grants of a party elsewhere: each call is made there.
final class RemoteGrants: GrantBackend {
    private let caller: PartyCaller
    private let handle: UInt32
    let pages: RemotePages

    init(_ caller: PartyCaller, _ handle: UInt32) {
        self.caller = caller
        self.handle = handle
        pages = RemotePages(caller, handle)
    }

    func share(
        pageCount: Int, with domain: DomainID, access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawShare {
        let (id, references) = try caller.onGrants(
            .share, handle, wire(pageCount, domain, access, notification),
            returning: UInt64.self, [GrantReference].self)
        let memory = try pages.reserve(id, byteCount: pageCount * Page.byteCount)
        return RawShare(id: id, references: references, memory: memory)
    }

    func unshare(_ share: RawShare) throws(GrantError) {
        try caller.onGrants(.unshare, handle, wire(share.id))
        pages.release(share.memory)
    }

    func map(
        _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawMapping {
        let id = try caller.onGrants(
            .map, handle, wire(pages, access, notification), returning: UInt64.self)
        let memory = try self.pages.reserve(id, byteCount: pages.count * Page.byteCount)
        return RawMapping(id: id, memory: memory)
    }

    func unmap(_ mapping: RawMapping) throws(GrantError) {
        try caller.onGrants(.unmap, handle, wire(mapping.id))
        pages.release(mapping.memory)
    }

    func copy(_ segments: [GrantCopySegment]) throws(GrantError) -> [GrantCopyStatus] {
        let there = try segments.map { (segment) throws(GrantError) in try remote(segment) }
        return try caller.onGrants(
            .copy, handle, wire(there), returning: [GrantCopyStatus].self)
    }

    private func remote(_ segment: GrantCopySegment) throws(GrantError) -> RemoteSegment {
        switch segment {
        case .read(let location, let memory): .read(location, into: try pages.range(of: memory))
        case .write(let memory, let location): .write(try pages.range(of: memory), to: location)
        case .relay(let source, let target, let count): .relay(source, to: target, byteCount: count)
        }
    }
}
