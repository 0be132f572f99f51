public import XenCore

/// Pages of ours that one peer may map. Revoked when it goes.
///
/// Pages that the peer still maps by then go into quarantine instead of being reused.
public struct GrantShare: SharedPages, ~Copyable, Sendable {
    private let raw: RawShare
    private let ledger: GrantLedger
    /// What the ledger knows it by; nil when it is revoked.
    private var id: UInt64?

    init(_ raw: RawShare, id: UInt64, ledger: GrantLedger) {
        self.raw = raw
        self.id = id
        self.ledger = ledger
    }

    /// One reference a page: what the peer needs to map them.
    public var references: [GrantReference] { raw.references }

    /// The pages. The view ends with this share: do not use it afterwards.
    @unsafe
    public var memory: SharedMemory {
        precondition(id != nil, "used after it was revoked")
        return raw.memory
    }

    /// Revokes the grants, keeping this share as it is if that fails: for an owner that goes on
    /// watching the pages until the peer has let go of them. The pages are gone after it succeeds.
    ///
    /// Throws `.inUse` while the peer maps a page.
    public mutating func revoke() throws(GrantError) {
        guard let id else { return }
        try ledger.revoke(id, isLetGo: false)
        self.id = nil
    }

    /// Revokes the grants.
    ///
    /// Throws `.inUse` if the peer still maps a page: the pages are in quarantine then, and
    /// `GrantTable.sweepQuarantine()` tries again.
    public consuming func close() throws(GrantError) {
        if let id = id.take() { try ledger.revoke(id, isLetGo: true) }
    }

    deinit {
        if let id { try? ledger.revoke(id, isLetGo: true) }
    }
}
