/// A `RingScheduler`'s rings, in places that are used again; each place links to its neighbours in a queue.
struct RingTable: Sendable {
    typealias Index = UInt32

    struct Entry: Sendable {
        enum State { case vacant, idle, active, serving, checking }

        var generation: UInt32 = 0
        var state = State.vacant
        /// Found to write without notifying, and not yet through with the credit for that.
        var isLazy = false
        var credit = 0
        var checkDue: ContinuousClock.Instant
        /// The neighbours in the queue that the entry is in. Of a vacant one: `next` is vacant too.
        var previous: Index?
        var next: Index?
    }

    private var entries: [Entry] = []
    private var firstVacant: Index?
    private(set) var count = 0

    /// The entries touched so far: the cost that must not grow with the rings.
    private(set) var accessCount: UInt64 = 0

    subscript(_ index: Index) -> Entry {
        mutating get {
            accessCount &+= 1
            return entries[Int(index)]
        }
        _modify {
            accessCount &+= 1
            yield &entries[Int(index)]
        }
    }

    func peek(_ index: Index) -> Entry { entries[Int(index)] }

    func id(of index: Index) -> RingID {
        RingID(index: index, generation: entries[Int(index)].generation)
    }

    /// Nil when the ring of this id has been removed.
    mutating func find(_ id: RingID) -> Index? {
        guard id.index < entries.count, self[id.index].state != .vacant,
            self[id.index].generation == id.generation
        else { return nil }
        return id.index
    }

    /// A place for a ring that is in no queue yet.
    mutating func add(_ now: ContinuousClock.Instant) -> Index {
        count += 1
        guard let index = firstVacant else {
            entries.append(Entry(state: .idle, checkDue: now))
            return Index(entries.count - 1)
        }
        firstVacant = self[index].next
        self[index] = Entry(generation: self[index].generation, state: .idle, checkDue: now)
        return index
    }

    /// The ring must be in no queue any more. Its place gets a new generation.
    mutating func remove(_ index: Index) {
        let generation = self[index].generation &+ 1
        self[index] = Entry(
            generation: generation, checkDue: self[index].checkDue, next: firstVacant)
        firstVacant = index
        count -= 1
    }
}

/// First in, first out, linked through the entries of a `RingTable`, so that any member can leave in O(1).
struct RingQueue: Sendable {
    private(set) var first: RingTable.Index?
    private var last: RingTable.Index?
    private(set) var count = 0

    mutating func append(_ index: RingTable.Index, to table: inout RingTable) {
        table[index].previous = last
        table[index].next = nil
        if let last { table[last].next = index } else { first = index }
        last = index
        count += 1
    }

    mutating func remove(_ index: RingTable.Index, from table: inout RingTable) {
        let (previous, next) = (table[index].previous, table[index].next)
        if let previous { table[previous].next = next } else { first = next }
        if let next { table[next].previous = previous } else { last = previous }
        count -= 1
    }
}
