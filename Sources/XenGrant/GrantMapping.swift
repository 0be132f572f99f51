public import XenCore

/// Peers' pages in our address space. Unmapped when it goes.
public struct GrantMapping: SharedPages, ~Copyable, Sendable {
    private var raw: RawMapping?
    private let id: UInt64
    private let ledger: GrantLedger
    /// What is mapped, and whose it is, in order.
    public let pages: [GrantedPage]

    init(_ raw: RawMapping, id: UInt64, ledger: GrantLedger, pages: [GrantedPage]) {
        self.raw = raw
        self.id = id
        self.ledger = ledger
        self.pages = pages
    }

    /// The pages. The view ends with this mapping: do not use it afterwards.
    @unsafe
    public var memory: SharedMemory {
        guard let raw else { preconditionFailure("used after it was closed") }
        return raw.memory
    }

    /// Unmaps the pages.
    public consuming func close() throws(GrantError) {
        if let raw = raw.take() { try ledger.unmap(id, raw) }
    }

    deinit {
        if let raw { try? ledger.unmap(id, raw) }
    }
}
