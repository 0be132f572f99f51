import XenCore
import XenStoreWire

/// For whom a connection speaks, and what that lets it do.
struct StoreClientIdentity: Hashable, Sendable {
    let incarnation: Incarnation
    /// The domain that this one may act for, as SET_TARGET says.
    var target: Incarnation?

    var domain: DomainID { incarnation.domain }

    /// Dom0 may do everything.
    var isPrivileged: Bool { incarnation.domain == .dom0 }

    /// What a node with these entries lets us do: the owner's are all, then the first entry that names us
    /// decides, then the first entry of all. (docs/misc/xenstore.txt, introduction.)
    func rights(_ access: AccessList) -> StoreRights {
        if isPrivileged || names(access.owner) { return [.read, .write, .own] }
        let entry = access.entries.dropFirst().first { names($0.holder) } ?? access.entries[0]
        var rights: StoreRights = []
        if entry.access.allowsReading { rights.insert(.read) }
        if entry.access.allowsWriting { rights.insert(.write) }
        return rights
    }

    func mayRead(_ access: AccessList?) -> Bool {
        access.map { rights($0).contains(.read) } ?? false
    }

    private func names(_ other: Incarnation) -> Bool {
        other == incarnation || other == target || other == .anyDomain
    }
}

extension Incarnation {
    /// An entry for all domains at once (`ServerFeatures.anyDomain`).
    static let anyDomain = Incarnation(domain: .any, number: 0)
}

/// What may be done with a node.
struct StoreRights: OptionSet, Sendable {
    let rawValue: UInt8
    static let read = StoreRights(rawValue: 1)
    static let write = StoreRights(rawValue: 2)
    static let own = StoreRights(rawValue: 4)
}
