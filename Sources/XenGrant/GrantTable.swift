public import XenCore

/// The way to a domain's grants: shares its pages with peers, and maps theirs.
///
///     let grants = try GrantTable.open()
///     let share = try grants.share(pageCount: 1, with: DomainID(3))
///     share.references[0]      // tell the peer
public struct GrantTable: Sendable {
    let backend: any GrantBackend
    let quarantine: GrantQuarantine

    /// Over any back end: `LibXenGrants`, or a mock domain's.
    public init(_ backend: any GrantBackend) {
        self.backend = backend
        quarantine = GrantQuarantine(backend)
    }

    /// Grants zeroed pages of ours to a domain. Does not block.
    ///
    /// Throws `.limitReached` when there is no room, after another look at the quarantine.
    ///
    /// - Parameters:
    ///   - pageCount: 1 or more.
    ///   - notification: what happens when this share goes, also when this process dies.
    public func share(
        pageCount: Int, with domain: DomainID, access: GrantAccess = .readWrite,
        notification: UnmapNotification? = nil
    ) throws(GrantError) -> GrantShare {
        precondition(pageCount > 0, "a share has at least one page")
        check(notification, pageCount: pageCount)
        sweepQuarantine()
        let raw = try backend.share(
            pageCount: pageCount, with: domain, access: access, notification: notification)
        return GrantShare(raw, owner: quarantine)
    }

    /// Maps a peer's pages. Does not block.
    ///
    /// Throws `.badReference` when the peer's numbers are wrong.
    ///
    /// - Parameter notification: what happens when this mapping goes, also when this process dies.
    public func map(
        _ references: [GrantReference], of domain: DomainID, access: GrantAccess = .readWrite,
        notification: UnmapNotification? = nil
    ) throws(GrantError) -> GrantMapping {
        precondition(!references.isEmpty, "a mapping has at least one page")
        check(notification, pageCount: references.count)
        let raw = try backend.map(
            references, of: domain, access: access, notification: notification)
        return GrantMapping(raw, backend: backend, references: references, domain: domain)
    }

    /// Tries again to revoke what peers still mapped when we wanted to let go.
    ///
    /// - Returns: the pages that are still in quarantine.
    @discardableResult
    public func sweepQuarantine() -> Int { quarantine.sweep() }

    /// The pages that peers still map although we have let go of them. They are never reused.
    public var quarantinedPageCount: Int { quarantine.pageCount }

    private func check(_ notification: UnmapNotification?, pageCount: Int) {
        guard let byte = notification?.clearByte else { return }
        precondition(
            byte >= 0 && byte < pageCount * Page.byteCount, "the byte to clear is in the pages")
    }
}
