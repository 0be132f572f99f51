import Synchronization

/// Keeps shares whose revocation failed because the peer still maps them, so that nobody reuses their pages (XSA-396).
final class GrantQuarantine: Sendable {
    let backend: any GrantBackend
    private let held = Mutex<[RawShare]>([])

    init(_ backend: any GrantBackend) { self.backend = backend }

    deinit { _ = sweep() }

    var pageCount: Int {
        held.withLock { $0.reduce(0) { $0 + $1.references.count } }
    }

    /// Revokes a share. One that is in use is kept until a later `sweep` succeeds, and `.inUse` is thrown.
    func revoke(_ share: RawShare) throws(GrantError) {
        do {
            try backend.unshare(share)
        } catch {
            if error.code == .inUse { held.withLock { $0.append(share) } }
            throw error
        }
    }

    /// - Returns: the pages that are still held.
    func sweep() -> Int {
        held.withLock { held in
            held.removeAll { share in
                do throws(GrantError) {
                    try backend.unshare(share)
                    return true
                } catch {
                    // What is gone already, with its handle or its domain, needs no more keeping.
                    return error.code != .inUse
                }
            }
            return held.reduce(0) { $0 + $1.references.count }
        }
    }
}
