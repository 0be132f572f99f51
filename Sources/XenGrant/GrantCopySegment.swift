public import XenCore

/// A place in a page that a peer has granted to us.
public struct GrantLocation: Hashable, Sendable {
    public var page: GrantedPage
    /// The first byte, counted from the start of the page.
    public var offset: Int

    public init(_ page: GrantedPage, offset: Int = 0) {
        self.page = page
        self.offset = offset
    }

    public init(_ reference: GrantReference, of domain: DomainID, offset: Int = 0) {
        self.init(GrantedPage(reference, of: domain), offset: offset)
    }
}

/// One piece of a `GrantTable.copy`: bytes that lie within one page of the peer's.
///
/// Memory of ours may cross pages, and is any memory of this process: a slice of a share, or private
/// memory seen as a `SharedMemory`. It must stay there until the copy has returned. For a peer's page
/// name its grant (`relay`), not a mapping of it, into which Linux may refuse to copy.
/// The corresponding Xen type is `gnttab_copy` (xen/include/public/grant_table.h).
public enum GrantCopySegment: Sendable {
    /// Fills memory of ours with a peer's bytes.
    case read(GrantLocation, into: SharedMemory)
    /// Writes all of some memory of ours into a peer's page.
    case write(SharedMemory, to: GrantLocation)
    /// Copies from one granted page to another, of the same peer or of a third domain.
    case relay(GrantLocation, to: GrantLocation, byteCount: Int)

    /// The bytes to copy.
    public var byteCount: Int {
        switch self {
        case .read(_, let memory), .write(let memory, _): memory.byteCount
        case .relay(_, _, let byteCount): byteCount
        }
    }

    /// Whether all bytes lie within their granted pages. Xen copies nothing that does not.
    package var isWithinPages: Bool {
        let count = byteCount
        func holds(_ location: GrantLocation) -> Bool {
            (0...Page.byteCount).contains(count)
                && (0...(Page.byteCount - count)).contains(location.offset)
        }
        return switch self {
        case .read(let location, _), .write(_, let location): holds(location)
        case .relay(let source, let destination, _): holds(source) && holds(destination)
        }
    }
}
