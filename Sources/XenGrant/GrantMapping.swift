public import XenCore

/// A peer's pages in our address space. Unmapped when it goes.
public struct GrantMapping: SharedPages, ~Copyable, Sendable {
    private var raw: RawMapping?
    private let backend: any GrantBackend
    /// What is mapped, in order.
    public let references: [GrantReference]
    /// Whose pages these are.
    public let domain: DomainID

    init(
        _ raw: RawMapping, backend: any GrantBackend, references: [GrantReference], domain: DomainID
    ) {
        self.raw = raw
        self.backend = backend
        self.references = references
        self.domain = domain
    }

    /// The pages. The view ends with this mapping: do not use it afterwards.
    @unsafe
    public var memory: SharedMemory {
        guard let raw else { preconditionFailure("used after it was closed") }
        return raw.memory
    }

    /// Unmaps the pages.
    public consuming func close() throws(GrantError) {
        if let raw = raw.take() { try backend.unmap(raw) }
    }

    deinit {
        if let raw { try? backend.unmap(raw) }
    }
}
