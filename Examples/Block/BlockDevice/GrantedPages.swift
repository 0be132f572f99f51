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
    private var kept: [GrantReference: KeptPage] = [:]

    init(grants: GrantTable, domain: DomainID, isPersistent: Bool) {
        self.grants = grants
        self.domain = domain
        self.isPersistent = isPersistent
    }

    /// Maps the pages of a request's segments for as long as `body` runs.
    ///
    /// Read-only access is asked for when we only read: a frontend may have granted no more.
    func withParts<R>(
        _ segments: [BlockSegment], access: GrantAccess, _ body: ([SharedMemory]) throws -> R
    ) throws -> R {
        if isPersistent {
            // A frontend that goes beyond the limit makes room by losing all: honest ones never do.
            let newCount = segments.count { kept[GrantReference($0.reference)] == nil }
            if kept.count + newCount > Self.keptLimit { kept = [:] }
            return try body(try segments.map { try keptPart($0) })
        }
        let mapping = try grants.map(
            segments.map { GrantReference($0.reference) }, of: domain, access: access)
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

    private func keptPart(_ segment: BlockSegment) throws -> SharedMemory {
        let reference = GrantReference(segment.reference)
        let page = try kept[reference] ?? KeptPage(grants.map([reference], of: domain))
        kept[reference] = page
        return page.memory.slice(offset: segment.byteOffset, byteCount: segment.byteCount)
    }

    /// Puts the owner of one page into a dictionary.
    private final class KeptPage {
        private let mapping: GrantMapping
        init(_ mapping: consuming GrantMapping) { self.mapping = mapping }
        // Safe: used only while the dictionary holds this object, and so the mapping.
        var memory: SharedMemory { unsafe mapping.memory }
    }
}
