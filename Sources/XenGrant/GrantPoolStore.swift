import Synchronization
import XenCore

/// A page that a pool has granted.
struct PooledPage: Sendable {
    /// What the ledger knows it by.
    let id: UInt64
    let raw: RawShare
}

/// The pages of a `GrantPool`, held by it and by its loans.
final class GrantPoolStore: Sendable {
    private struct State {
        /// The page that came back last is the last.
        var home: [PooledPage] = []
        /// On loan, or being granted for a loan.
        var lentCount = 0
        var isClosed = false
    }

    private let ledger: GrantLedger
    private let peer: DomainID
    private let pageLimit: Int
    private let access: GrantAccess
    private let state = Mutex(State())

    init(_ ledger: GrantLedger, peer: DomainID, pageLimit: Int, access: GrantAccess) {
        self.ledger = ledger
        self.peer = peer
        self.pageLimit = pageLimit
        self.access = access
    }

    var pageCounts: (granted: Int, lent: Int) {
        state.withLock { ($0.home.count + $0.lentCount, $0.lentCount) }
    }

    func lend(_ count: Int) throws(GrantError) -> [PooledPage] {
        var pages = try state.withLock { (state) throws(GrantError) in
            guard count <= pageLimit - state.lentCount else {
                throw GrantError(
                    .limitReached,
                    "this pool for \(peer) has \(state.lentCount) of at most \(pageLimit) pages "
                        + "on loan: no room for \(count) more")
            }
            state.lentCount += count
            let known = Array(state.home.suffix(count).reversed())
            state.home.removeLast(known.count)
            return known
        }
        do throws(GrantError) {
            while pages.count < count {
                let (id, raw) = try ledger.share(
                    pageCount: 1, with: peer, access: access, notification: nil)
                pages.append(PooledPage(id: id, raw: raw))
            }
        } catch {
            state.withLock { $0.lentCount -= count - pages.count }
            takeBack(pages)
            throw error
        }
        return pages
    }

    func takeBack(_ pages: [PooledPage]) {
        let isClosed = state.withLock { state in
            state.lentCount -= pages.count
            if !state.isClosed { state.home += pages.reversed() }
            return state.isClosed
        }
        if isClosed { try? revoke(pages) }
    }

    func close() throws(GrantError) {
        let pages = state.withLock { state in
            state.isClosed = true
            defer { state.home = [] }
            return state.home
        }
        try revoke(pages)
    }

    private func revoke(_ pages: [PooledPage]) throws(GrantError) {
        try pages.letGoOfAll { (page) throws(GrantError) in
            try ledger.revoke(page.id, isLetGo: true)
        }
    }
}
