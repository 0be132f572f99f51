import Synchronization
import XenCore

/// A back end with its books: who holds what, what may not be reused, and what may be held.
///
/// Shared by the copies of a `GrantTable` and by all that they have handed out. The back end and the observer
/// are called without the lock.
final class GrantLedger: Sendable {
    let backend: any GrantBackend
    private let observer: (@Sendable (QuarantineEvent) -> Void)?
    private let books: Mutex<GrantBooks>

    init(
        _ backend: any GrantBackend, limits: GrantLimits,
        observer: (@Sendable (QuarantineEvent) -> Void)?
    ) {
        self.backend = backend
        self.observer = observer
        books = Mutex(GrantBooks(limits: limits))
    }

    deinit { _ = sweep() }

    var total: GrantPageCounts { books.withLock { $0.total } }

    var accounts: GrantAccounts { books.withLock { $0.accounts(at: .now) } }
}

// Shares.
extension GrantLedger {
    func share(
        pageCount: Int, with peer: DomainID, access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> (id: UInt64, raw: RawShare) {
        // One look a share empties the quarantine in time, and costs the same however full it is.
        sweep(1)
        try reserve(pageCount, with: peer)
        let raw: RawShare
        do throws(GrantError) {
            raw = try sharePages(pageCount, peer, access, notification)
        } catch {
            books.withLock { $0.cancelShare(pageCount, with: peer) }
            throw error
        }
        precondition(
            raw.references.count == pageCount, "a back end gives one reference a page")
        let account = GrantAccounts.Share(
            peer: peer, references: raw.references, access: access, since: .now)
        return (books.withLock { $0.enter(raw, account) }, raw)
    }

    private func reserve(_ pageCount: Int, with peer: DomainID) throws(GrantError) {
        guard books.withLock({ $0.reserveShare(pageCount, with: peer) }) != nil else { return }
        sweep()
        if let refusal = books.withLock({ $0.reserveShare(pageCount, with: peer) }) {
            throw refusal.error
        }
    }

    /// When there is no room, looks at all of the quarantine for some.
    private func sharePages(
        _ pageCount: Int, _ peer: DomainID, _ access: GrantAccess,
        _ notification: UnmapNotification?
    ) throws(GrantError) -> RawShare {
        do throws(GrantError) {
            return try backend.share(
                pageCount: pageCount, with: peer, access: access, notification: notification)
        } catch {
            let held = total.quarantined
            guard error.code == .limitReached, held > 0, sweep() < held else { throw error }
        }
        return try backend.share(
            pageCount: pageCount, with: peer, access: access, notification: notification)
    }

    /// Revokes a share.
    ///
    /// - Parameter isLetGo: its owner goes. If the share cannot be revoked it is kept until a later `sweep`
    ///   succeeds, so that nobody reuses its pages (XSA-396).
    func revoke(_ id: UInt64, isLetGo: Bool) throws(GrantError) {
        guard let raw = books.withLock({ $0.share(id) }) else { return }
        do throws(GrantError) {
            try backend.unshare(raw)
        } catch {
            if error.isGone {
                strikeOut(id)
            } else {
                let first = books.withLock {
                    $0.refuse(share: id, error, at: .now, isLetGo: isLetGo)
                }
                if let first { observer?(.peerStillMaps(first)) }
            }
            throw error
        }
        strikeOut(id)
    }

    private func strikeOut(_ id: UInt64) {
        let share = books.withLock { $0.remove(share: id) }
        if let share, share.refusal != nil { observer?(.letGo(share)) }
    }

    /// Tries again to revoke shares that are in quarantine, those first that were tried longest ago.
    ///
    /// - Returns: the pages that are in quarantine afterwards.
    @discardableResult
    func sweep(_ limit: Int = .max) -> Int {
        for id in books.withLock({ $0.takeWaiting(limit) }) { try? revoke(id, isLetGo: true) }
        return total.quarantined
    }
}

// Mappings.
extension GrantLedger {
    func map(
        _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?,
        until deadline: Deadline
    ) throws(GrantError) -> (id: UInt64, raw: RawMapping) {
        if let refusal = books.withLock({ $0.reserveMapping(pages) }) { throw refusal.error }
        var backOff = BackOff()
        while true {
            do throws(GrantError) {
                let raw = try backend.map(pages, access: access, notification: notification)
                let account = GrantAccounts.Mapping(pages: pages, access: access, since: .now)
                return (books.withLock { $0.enter(account) }, raw)
            } catch {
                if error.code == .again, backOff.wait(until: deadline) { continue }
                books.withLock { $0.cancelMapping(pages) }
                throw error
            }
        }
    }

    /// Undoes a mapping. One that cannot be undone stays in the books, since it is still there.
    func unmap(_ id: UInt64, _ raw: RawMapping) throws(GrantError) {
        do throws(GrantError) {
            try backend.unmap(raw)
        } catch {
            if error.isGone { books.withLock { $0.remove(mapping: id) } }
            throw error
        }
        books.withLock { $0.remove(mapping: id) }
    }
}

extension GrantError {
    /// What the call was about is no longer there: it went with its handle, its process or its domain.
    fileprivate var isGone: Bool { code == .notFound || code == .unavailable }
}
