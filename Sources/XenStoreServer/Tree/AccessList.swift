import XenCore
import XenStoreWire

/// A domain as it was when somebody wrote of it. Ids are used again: a successor is another incarnation.
struct Incarnation: Hashable, Sendable {
    let domain: DomainID
    /// How many domains had this id before.
    let number: UInt32

    static let dom0 = Incarnation(domain: .dom0, number: 0)

    /// Names no domain, whichever has that id: the entry is kept, and counts for nobody.
    static func nobody(_ domain: DomainID) -> Incarnation {
        Incarnation(domain: domain, number: .max)
    }
}

/// Who may do what with a node: its owner and the entries that follow. Nodes that inherit it share its memory.
///
/// Source: docs/misc/xenstore.txt, introduction.
struct AccessList: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        let holder: Incarnation
        let access: Permission.Access
    }

    /// The owner's entry first; never empty.
    let entries: [Entry]

    /// For dom0 alone.
    static let dom0 = AccessList([Entry(holder: .dom0, access: .none)])

    init(_ entries: [Entry]) {
        precondition(!entries.isEmpty)
        self.entries = entries
    }

    var owner: Incarnation { entries[0].holder }

    /// What a quota on memory counts for it.
    var memoryByteCount: Int { 8 * entries.count }

    /// What nodes below get: the same entries, owned by who makes them. Dom0 leaves the owner as it is.
    func inherited(by creator: Incarnation) -> AccessList {
        guard creator.domain != .dom0, creator != owner else { return self }
        var entries = entries
        entries[0] = Entry(holder: creator, access: entries[0].access)
        return AccessList(entries)
    }

    /// The same with an owner who is alive: what a dead one leaves behind is dom0's.
    func owned(by owner: Incarnation) -> AccessList {
        var entries = entries
        entries[0] = Entry(holder: owner, access: entries[0].access)
        return AccessList(entries)
    }
}
