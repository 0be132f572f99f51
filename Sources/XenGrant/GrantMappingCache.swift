public import XenCore

/// Peers' pages that stay mapped from one request to the next: the backend's side of persistent grants.
///
///     var cache = GrantMappingCache(grants, pageLimit: 1056)
///     let page = GrantedPage(reference, of: frontend)
///     try cache.withPages([page], access: .readWrite) { pages in
///         pages[0].store(sector, at: 512)
///     }
///
/// A page is mapped by itself when it is first asked for. When the cache is full the page that was used longest
/// ago is unmapped, so that no peer makes it grow. All are unmapped on every way out (XSA-371): when the cache goes, at the latest.
///
/// A page stays the one that was mapped first, even if its peer revokes the grant and gives the reference to
/// another page: the peer harms itself alone. So do not keep a cache beyond the connection for which its
/// references were told; `drop` those of a peer that goes.
/// For one thread at a time.
public struct GrantMappingCache: ~Copyable, Sendable {
    /// What the cache has done so far, in pages.
    public struct Statistics: Hashable, Sendable {
        /// Asked for and still mapped.
        public internal(set) var hitCount = 0
        /// Asked for and mapped anew.
        public internal(set) var missCount = 0
        /// Unmapped to make room.
        public internal(set) var evictionCount = 0
    }

    private struct Key: Hashable, Sendable {
        let page: GrantedPage
        let access: GrantAccess
    }

    private struct Entry: Sendable {
        /// What the ledger knows it by.
        let id: UInt64
        let raw: RawMapping
    }

    private let ledger: GrantLedger
    private let pageLimit: Int
    private var entries = RecencyList<Key, Entry>()
    public private(set) var statistics = Statistics()

    /// Maps nothing yet.
    ///
    /// - Parameter pageLimit: the most pages that are mapped at a time, 1 or more. A request for more is refused.
    public init(_ grants: GrantTable, pageLimit: Int) {
        precondition(pageLimit > 0, "a cache has room for at least one page")
        ledger = grants.ledger
        self.pageLimit = pageLimit
    }

    /// The pages that are mapped. One that is mapped for both kinds of access counts twice.
    public var pageCount: Int { entries.count }

    /// Lends out pages for as long as `body` runs, in the order asked for, and maps those that are not mapped yet.
    ///
    /// Throws as `GrantTable.map` does, and `.limitReached` for more pages than the cache may hold. What could
    /// be mapped stays in the cache then.
    ///
    /// - Parameters:
    ///   - deadline: for pages that the hypervisor asks to try again; see `GrantTable.map`.
    ///   - body: must not keep the views.
    public mutating func withPages<Result>(
        _ pages: [GrantedPage], access: GrantAccess = .readWrite,
        until deadline: Deadline = .after(GrantTable.mapPatience),
        _ body: ([SharedMemory]) throws -> Result
    ) throws -> Result {
        try body(try views(of: pages, access, deadline))
    }

    private mutating func views(
        of pages: [GrantedPage], _ access: GrantAccess, _ deadline: Deadline
    ) throws(GrantError) -> [SharedMemory] {
        let count = Set(pages).count
        guard count <= pageLimit else {
            throw GrantError(
                .limitReached, "a request for \(count) pages: this cache holds \(pageLimit)")
        }
        // Those that are there become the newest first, so that making room never takes one of them.
        for page in pages where entries.use(Key(page: page, access: access)) != nil {
            statistics.hitCount += 1
        }
        return try pages.map { (page) throws(GrantError) in
            let key = Key(page: page, access: access)
            if let entry = entries.use(key) { return entry.raw.memory }
            statistics.missCount += 1
            makeRoom()
            let (id, raw) = try ledger.map(
                [page], access: access, notification: nil, until: deadline)
            entries.insert(key, Entry(id: id, raw: raw))
            return raw.memory
        }
    }

    private mutating func makeRoom() {
        guard entries.count >= pageLimit, let oldest = entries.removeOldest() else { return }
        statistics.evictionCount += 1
        // What cannot be unmapped stays in the table's accounts.
        try? ledger.unmap(oldest.id, oldest.raw)
    }

    /// Unmaps all pages of a domain: for one that has gone, or whose connection is over.
    ///
    /// Throws the first failure after trying all.
    public mutating func drop(_ domain: DomainID) throws(GrantError) {
        try unmap(entries.removeAll { $0.page.domain == domain })
    }

    /// Unmaps all pages.
    ///
    /// Throws the first failure after trying all.
    public consuming func close() throws(GrantError) {
        try unmap(entries.removeAll { _ in true })
    }

    deinit { try? unmap(entries.all.map(\.value)) }

    private func unmap(_ gone: [Entry]) throws(GrantError) {
        try gone.letGoOfAll { (entry) throws(GrantError) in try ledger.unmap(entry.id, entry.raw) }
    }
}
