public import XenCore

/// The way to a domain's grants: shares its pages with peers, and maps theirs.
///
///     let grants = try GrantTable.open()
///     let share = try grants.share(pageCount: 1, with: DomainID(3))
///     share.references[0]      // tell the peer
public struct GrantTable: Sendable {
    let ledger: GrantLedger

    var backend: any GrantBackend { ledger.backend }

    /// Over any back end: `LibXenGrants`, or a mock domain's.
    ///
    /// Copies of a table keep one set of books together; two tables over one back end know nothing of each other.
    ///
    /// - Parameters:
    ///   - limits: what may be held at a time, through this table and its copies.
    ///   - onQuarantine: told when a peer keeps pages from us, and when it has let go. It is called on the
    ///     thread that revokes, from `close`, a deinit, `share` or `sweepQuarantine`, and must not block.
    public init(
        _ backend: any GrantBackend, limits: GrantLimits = GrantLimits(),
        onQuarantine: (@Sendable (QuarantineEvent) -> Void)? = nil
    ) {
        ledger = GrantLedger(backend, limits: limits, observer: onQuarantine)
    }

    /// Grants zeroed pages of ours to a domain. Does not block.
    ///
    /// Throws `.limitReached` when there is no room, after another look at the quarantine: in the kernel, or
    /// within `GrantLimits`; the message says which.
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
        let (id, raw) = try ledger.share(
            pageCount: pageCount, with: domain, access: access, notification: notification)
        return GrantShare(raw, id: id, ledger: ledger)
    }

    /// How long `map` tries again when its caller does not say.
    public static let mapPatience = Duration.seconds(1)

    /// Maps pages that were granted to us, by one domain or by several, one after another in the
    /// order given: all or none.
    ///
    /// Blocks only when the hypervisor asks to try again, since the host has paged a page out: it is
    /// then asked until the deadline, on this thread, ever more seldom. Linux has such patience of its
    /// own before we hear of it: up to 33 s for each page, after which it says EINVAL
    /// (`gnttab_retry_eagain_gop`, drivers/xen/grant-table.c).
    ///
    /// Throws `.badReference` when a peer's numbers are wrong, `.again` when the deadline has passed,
    /// `.limitReached` when there is no room, in the kernel or within `GrantLimits`.
    ///
    /// - Parameters:
    ///   - notification: what happens when this mapping goes, also when this process dies.
    ///     There is one for the whole mapping, however many pages and domains are in it.
    ///   - deadline: until when to try again. One attempt is made in any case.
    public func map(
        _ pages: [GrantedPage], access: GrantAccess = .readWrite,
        notification: UnmapNotification? = nil, until deadline: Deadline = .after(mapPatience)
    ) throws(GrantError) -> GrantMapping {
        precondition(!pages.isEmpty, "a mapping has at least one page")
        check(notification, pageCount: pages.count)
        let (id, raw) = try ledger.map(
            pages, access: access, notification: notification, until: deadline)
        return GrantMapping(raw, id: id, ledger: ledger, pages: pages)
    }

    /// Maps pages of one domain.
    public func map(
        _ references: [GrantReference], of domain: DomainID, access: GrantAccess = .readWrite,
        notification: UnmapNotification? = nil, until deadline: Deadline = .after(mapPatience)
    ) throws(GrantError) -> GrantMapping {
        try map(
            references.granted(by: domain), access: access, notification: notification,
            until: deadline)
    }

    /// Tries again to revoke what peers still mapped when we wanted to let go.
    ///
    /// - Returns: the pages that are still in quarantine.
    @discardableResult
    public func sweepQuarantine() -> Int { ledger.sweep() }

    /// The pages that peers still map although we have let go of them. They are never reused.
    ///
    /// Linux keeps such pages itself and does not tell: over `LibXenGrants` there are none.
    public var quarantinedPageCount: Int { ledger.total.quarantined }

    /// What is shared with whom and mapped from whom, through this table and its copies. It prints in words.
    ///
    /// Costs a sort of all that is held; the calls that share and map only count.
    public var accounts: GrantAccounts { ledger.accounts }

    private func check(_ notification: UnmapNotification?, pageCount: Int) {
        guard let byte = notification?.clearByte else { return }
        precondition(
            byte >= 0 && byte < pageCount * Page.byteCount, "the byte to clear is in the pages")
    }
}
