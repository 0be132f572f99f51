import XenCore
import XenStoreWire

/// For whom a connection speaks, and what that lets it do.
struct StoreClientIdentity: Hashable, Sendable {
    let domain: DomainID
    /// The domain that this one may act for, as SET_TARGET says.
    var target: DomainID?

    /// Dom0 may do everything.
    var isPrivileged: Bool { domain == .dom0 }

    /// Who owns the nodes that this client makes; nil where they keep their parent's owner.
    var creator: DomainID? { isPrivileged ? nil : domain }

    /// What a node with these entries lets us do: the owner's are all, then the first entry that names us
    /// decides, then the first entry of all. (docs/misc/xenstore.txt, introduction.)
    func rights(_ permissions: [Permission]) -> StoreRights {
        if isPrivileged || names(permissions[0].domain) { return [.read, .write, .own] }
        let entry = permissions.dropFirst().first { names($0.domain) } ?? permissions[0]
        var rights: StoreRights = []
        if entry.access.allowsReading { rights.insert(.read) }
        if entry.access.allowsWriting { rights.insert(.write) }
        return rights
    }

    private func names(_ other: DomainID) -> Bool { other == domain || other == target }
}

/// What may be done with a node.
struct StoreRights: OptionSet, Sendable {
    let rawValue: UInt8
    static let read = StoreRights(rawValue: 1)
    static let write = StoreRights(rawValue: 2)
    static let own = StoreRights(rawValue: 4)
}
