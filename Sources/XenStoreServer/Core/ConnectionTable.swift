/// All connections, each in a place of its own: a request finds its connection without hashing, and changes it
/// where it lies.
struct ConnectionTable: Sendable {
    /// What each request asks for first, apart from the rest so that looking costs no more than looking.
    private struct Name: Sendable {
        var id: ConnectionID
        var holder: Incarnation
    }

    private var names: [Name] = []
    private var states: [StoreConnection] = []
    private var freeSlots: [Int] = []
    private var lastSequence: UInt64 = 0

    private static let nobody = Name(id: ConnectionID(rawValue: 0), holder: .dom0)

    var count: Int { names.count - freeSlots.count }

    /// The place of a connection that is open.
    func slot(of id: ConnectionID) -> Int? {
        let slot = id.place
        return id.rawValue != 0 && slot < names.count && names[slot].id == id ? slot : nil
    }

    func holder(_ slot: Int) -> Incarnation { names[slot].holder }

    func holder(of id: ConnectionID) -> Incarnation? { slot(of: id).map { names[$0].holder } }

    subscript(slot: Int) -> StoreConnection {
        _read { yield states[slot] }
        _modify { yield &states[slot] }
    }

    mutating func open(for holder: Incarnation) -> ConnectionID {
        let slot = freeSlots.popLast() ?? names.count
        precondition(
            slot < 1 << ConnectionID.placeBits, "more connections than a system has descriptors")
        lastSequence += 1
        let id = ConnectionID(rawValue: lastSequence << ConnectionID.placeBits | UInt64(slot))
        let state = StoreConnection(id, for: holder)
        if slot == names.count {
            names.append(Name(id: id, holder: holder))
            states.append(state)
        } else {
            names[slot] = Name(id: id, holder: holder)
            states[slot] = state
        }
        return id
    }

    mutating func close(_ slot: Int) {
        states[slot] = StoreConnection(names[slot].id, for: names[slot].holder)
        names[slot] = Self.nobody
        freeSlots.append(slot)
    }

    /// The places of those that are open, in the order of opening.
    var openSlots: [Int] {
        names.indices.filter { names[$0].id.rawValue != 0 }.sorted { names[$0].id < names[$1].id }
    }

    /// In the order of opening.
    var all: [StoreConnection] { openSlots.map { states[$0] } }
}
