public import XenCore

/// What a grant lets the other domain do.
public enum GrantAccess: Hashable, Sendable {
    case readOnly
    case readWrite
}

/// Pages of ours that a peer may map. Un-owned: `GrantShare` owns it.
public struct RawShare: Sendable {
    /// The back end's own name for it.
    public let id: UInt64
    /// One reference a page, in the order of the pages.
    public let references: [GrantReference]
    /// The pages, one after another, as we see them.
    public let memory: SharedMemory

    public init(id: UInt64, references: [GrantReference], memory: SharedMemory) {
        self.id = id
        self.references = references
        self.memory = memory
    }
}

/// A peer's pages in our address space. Un-owned: `GrantMapping` owns it.
public struct RawMapping: Sendable {
    /// The back end's own name for it.
    public let id: UInt64
    /// The pages, one after another.
    public let memory: SharedMemory

    public init(id: UInt64, memory: SharedMemory) {
        self.id = id
        self.memory = memory
    }
}

/// What happens when a mapping goes, also when its process dies: a byte is cleared, a port is rung, or both.
///
/// The corresponding operation is `IOCTL_GNTDEV_SET_UNMAP_NOTIFY` (Linux include/uapi/xen/gntdev.h).
public struct UnmapNotification: Hashable, Sendable {
    /// The byte to set to zero, counted from the start of the mapping or share.
    public var clearByte: Int?
    /// The local port to notify.
    public var notifyPort: EventPort?

    public init(clearByte: Int? = nil, notifyPort: EventPort? = nil) {
        self.clearByte = clearByte
        self.notifyPort = notifyPort
    }
}

/// The boundary to the hypervisor's grant tables: one open handle of one process in one domain.
///
/// Conformers are real Xen (`LibXenGrants`) and the mock. They trade in raw tokens;
/// `GrantTable` makes owners of them. All calls are synchronous and may be made from any thread.
public protocol GrantBackend: AnyObject, Sendable {
    /// Makes `pageCount` zeroed pages and grants them to `domain`.
    func share(
        pageCount: Int, with domain: DomainID, access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawShare

    /// Revokes the grants and lets go of the pages.
    ///
    /// Throws `.inUse` while the peer maps one of them, and changes nothing then. A kernel that
    /// quarantines such pages itself (Linux's gntalloc) does not throw.
    func unshare(_ share: RawShare) throws(GrantError)

    /// Maps pages, which may be of several domains, one after another in the order given: all or none.
    ///
    /// Tries once. Throws `.again` when the hypervisor asks for patience; whoever calls decides how
    /// long to have it.
    func map(
        _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawMapping

    /// Unmaps all pages of a mapping.
    func unmap(_ mapping: RawMapping) throws(GrantError)

    /// Copies between memory of this process and pages that were granted to its domain, once.
    ///
    /// Throws `.refused`, with an unknown part of the copies done, when a segment leaves its page or
    /// our own memory cannot be read or written. What is wrong with a grant is its segment's status.
    ///
    /// - Returns: one status a segment, in their order.
    func copy(_ segments: [GrantCopySegment]) throws(GrantError) -> [GrantCopyStatus]
}
