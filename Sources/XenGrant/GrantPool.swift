public import XenCore

/// Pages of ours that stay granted to one peer, lent out for one request after another: the frontend's side of
/// persistent grants, which the peer need not map anew each time.
///
///     let pool = GrantPool(grants, peer: .dom0, pageLimit: 352)
///     let loan = try pool.lend(pageCount: 3)
///     loan.store(bytes, at: 0, ofPage: 0)
///     loan.references      // into the request; when it is answered:
///     loan.giveBack()
///
/// Pages are granted when they are first needed, each by itself, and never more than the limit. They are revoked on every way
/// out (XSA-371): when the pool goes, those at home at once, those on loan when they are given back. One that
/// the peer still maps by then goes into the table's quarantine.
///
/// The peer may write to any page of the pool at any moment, also to one that is not on loan. A new
/// page is zero; one that is lent again holds what was left in it, by us or by the peer.
/// May be used from any thread.
public struct GrantPool: ~Copyable, Sendable {
    private let store: GrantPoolStore

    /// Grants nothing yet.
    ///
    /// - Parameter pageLimit: the most pages that are granted at a time, 1 or more.
    public init(
        _ grants: GrantTable, peer: DomainID, pageLimit: Int, access: GrantAccess = .readWrite
    ) {
        precondition(pageLimit > 0, "a pool has room for at least one page")
        store = GrantPoolStore(
            grants.ledger, peer: peer, pageLimit: pageLimit, access: access)
    }

    /// The pages that are granted now, and how many of them are on loan.
    public var pageCounts: (granted: Int, lent: Int) { store.pageCounts }

    /// Lends pages, those first that came back last. Does not block.
    ///
    /// Throws `.limitReached` when the pool has not so many left, or when there is no room for a new one in
    /// the table or in the kernel. Nothing is on loan then that was not before.
    ///
    /// - Parameter pageCount: 1 or more.
    public func lend(pageCount: Int = 1) throws(GrantError) -> GrantLoan {
        precondition(pageCount > 0, "a loan has at least one page")
        return GrantLoan(try store.lend(pageCount), from: store)
    }

    /// Revokes the pages that are not on loan. Those on loan are revoked when they are given back.
    ///
    /// Throws the first failure after trying all: `.inUse` if the peer still maps a page, which is in
    /// quarantine then.
    public consuming func close() throws(GrantError) { try store.close() }

    deinit { try? store.close() }
}

/// Pages on loan from a `GrantPool`. Given back when it goes.
///
/// They do not lie one after another: each is looked at by its number.
public struct GrantLoan: ~Copyable, Sendable {
    private let pages: [PooledPage]
    private let store: GrantPoolStore

    init(_ pages: [PooledPage], from store: GrantPoolStore) {
        self.pages = pages
        self.store = store
    }

    /// One a page: what the peer needs to map them.
    public var references: [GrantReference] { pages.map { $0.raw.references[0] } }

    public var pageCount: Int { pages.count }

    /// A page's bytes. The view ends with this loan: do not use it afterwards.
    @unsafe
    public func memory(ofPage index: Int) -> SharedMemory { pages[index].raw.memory }

    /// Copies bytes out of a page, once.
    public func bytes(at offset: Int, count: Int, ofPage index: Int) -> [UInt8] {
        // Safe: the page is there for as long as the loan, which is borrowed here.
        unsafe memory(ofPage: index).bytes(at: offset, count: count)
    }

    /// Copies bytes into a page.
    public func store(_ bytes: [UInt8], at offset: Int, ofPage index: Int) {
        // Safe: as above.
        unsafe memory(ofPage: index).store(bytes, at: offset)
    }

    /// Lets the pool lend the pages to the next one.
    public consuming func giveBack() {}

    deinit { store.takeBack(pages) }
}
