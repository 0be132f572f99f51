public import XenCore

/// Pages of ours that one peer may map. Revoked when it goes.
///
/// Pages that the peer still maps by then go into quarantine instead of being reused.
public struct GrantShare: SharedPages, ~Copyable, Sendable {
    private var raw: RawShare?
    private let owner: GrantQuarantine
    /// One reference a page: what the peer needs to map them.
    public let references: [GrantReference]

    init(_ raw: RawShare, owner: GrantQuarantine) {
        self.raw = raw
        self.owner = owner
        references = raw.references
    }

    /// The pages. The view ends with this share: do not use it afterwards.
    @unsafe
    public var memory: SharedMemory {
        // Safe to force: only the consuming methods take `raw`.
        guard let raw else { preconditionFailure("used after it was closed") }
        return raw.memory
    }

    /// Revokes the grants, keeping this share as it is if that fails: for an owner that goes on
    /// watching the pages until the peer has let go of them. The pages are gone after it succeeds.
    ///
    /// Throws `.inUse` while the peer maps a page.
    public mutating func revoke() throws(GrantError) {
        guard let raw else { return }
        try owner.backend.unshare(raw)
        self.raw = nil
    }

    /// Revokes the grants.
    ///
    /// Throws `.inUse` if the peer still maps a page: the pages are in quarantine then, and
    /// `GrantTable.sweepQuarantine()` tries again.
    public consuming func close() throws(GrantError) {
        if let raw = raw.take() { try owner.revoke(raw) }
    }

    deinit {
        if let raw { try? owner.revoke(raw) }
    }
}
