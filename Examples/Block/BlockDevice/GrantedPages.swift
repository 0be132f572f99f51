import XenCore
import XenGrant

/// The frontend's data pages, mapped when a request needs them.
///
/// A frontend that promises to use the same pages again and again (`feature-persistent`) has them kept
/// mapped, up to a limit; all go with this object (XSA-371).
final class GrantedPages {
    /// The most pages that are kept: what a full ring of the largest requests uses.
    static let keptLimit = 32 * BlockRequest.segmentLimit

    private let grants: GrantTable
    private let domain: DomainID
    private let isPersistent: Bool
    /// How long a page that cannot be mapped yet is tried again, blocking.
    private let mapPatience: Duration
    private var kept: GrantMappingCache

    init(grants: GrantTable, domain: DomainID, isPersistent: Bool, mapPatience: Duration) {
        self.grants = grants
        self.domain = domain
        self.isPersistent = isPersistent
        self.mapPatience = mapPatience
        kept = GrantMappingCache(grants, pageLimit: Self.keptLimit)
    }

    /// Maps the pages of a request's segments for as long as `body` runs.
    ///
    /// Read-only access is asked for when we only read: a frontend may have granted no more. One that
    /// is persistent has granted both.
    func withParts<R>(
        _ segments: [BlockSegment], access: GrantAccess, _ body: ([SharedMemory]) throws -> R
    ) throws -> R {
        let pages = segments.map { GrantedPage(GrantReference($0.reference), of: domain) }
        if isPersistent {
            return try kept.withPages(pages, until: .after(mapPatience)) { pages in
                try body(
                    zip(pages, segments).map { page, segment in
                        page.slice(offset: segment.byteOffset, byteCount: segment.byteCount)
                    })
            }
        }
        let mapping = try grants.map(pages, access: access, until: .after(mapPatience))
        // Safe: `mapping` outlives the parts, which nobody keeps beyond `body`.
        let memory = unsafe mapping.memory
        let result = try body(
            segments.enumerated().map { index, segment in
                memory.slice(
                    offset: index * Page.byteCount + segment.byteOffset,
                    byteCount: segment.byteCount)
            })
        try mapping.close()
        return result
    }
}
