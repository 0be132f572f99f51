import XenCore
import XenStoreWire

/// What the core keeps of a connection.
struct StoreConnection: Sendable {
    /// Path and token, by which a client names a watch.
    struct WatchName: Hashable, Sendable {
        let path: PathKey
        let token: [UInt8]
    }

    let id: ConnectionID
    let holder: Incarnation
    /// `/local/domain/N/`, in front of its relative paths.
    let home: [UInt8]
    /// The numbers of its watches.
    var watches: [WatchName: UInt64] = [:]
    /// Bytes of its watches.
    var watchMemory = 0
    var transactions: [TransactionID: StoreTransaction] = [:]
    var lastTransaction: UInt32 = 0

    init(_ id: ConnectionID, for holder: Incarnation) {
        self.id = id
        self.holder = holder
        home = PathKey.home(of: holder.domain).bytes + [UInt8(ascii: "/")]
    }

    /// Bytes that the connection holds in the core.
    var memory: Int { transactions.values.reduce(watchMemory) { $0 + $1.memory } }
}

/// All connections, each in a place of its own: a request finds its connection without hashing, and changes it
/// where it lies.
struct ConnectionTable: Sendable {
    private var slots: [StoreConnection?] = []
    private var freeSlots: [Int] = []
    private var lastSequence: UInt64 = 0
    private(set) var count = 0

    private static let slotBits: UInt64 = 24

    /// The place of a connection that is open.
    func slot(of id: ConnectionID) -> Int? {
        let slot = Int(id.rawValue & ((1 << Self.slotBits) - 1))
        return slot < slots.count && slots[slot]?.id == id ? slot : nil
    }

    subscript(slot: Int) -> StoreConnection? {
        _read { yield slots[slot] }
        _modify { yield &slots[slot] }
    }

    subscript(id: ConnectionID) -> StoreConnection? { slot(of: id).flatMap { slots[$0] } }

    mutating func open(for holder: Incarnation) -> ConnectionID {
        let slot = freeSlots.popLast() ?? slots.count
        precondition(slot < 1 << Self.slotBits, "more connections than a system has descriptors")
        lastSequence += 1
        let id = ConnectionID(rawValue: lastSequence << Self.slotBits | UInt64(slot))
        if slot == slots.count { slots.append(nil) }
        slots[slot] = StoreConnection(id, for: holder)
        count += 1
        return id
    }

    mutating func close(_ slot: Int) {
        slots[slot] = nil
        freeSlots.append(slot)
        count -= 1
    }

    /// In the order of opening.
    var all: [StoreConnection] { slots.compactMap { $0 }.sorted { $0.id < $1.id } }
}
