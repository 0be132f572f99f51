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
        var checkDue: SchedulerTime
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

    /// Changes an entry: one access, however much of it is looked at.
    @inline(__always)
    mutating func update<Result>(_ index: Index, _ body: (inout Entry) -> Result) -> Result {
        accessCount &+= 1
        return body(&entries[Int(index)])
    }

    /// The same by id; nil when the ring of this id has been removed.
    @inline(__always)
    mutating func update<Result>(_ id: RingID, _ body: (inout Entry) -> Result) -> Result? {
        guard id.index < entries.count else { return nil }
        return update(id.index) { entry in
            guard entry.generation == id.generation, entry.state != .vacant else { return nil }
            return body(&entry)
        }
    }

    func peek(_ index: Index) -> Entry { entries[Int(index)] }

    func id(of index: Index) -> RingID {
        RingID(index: index, generation: entries[Int(index)].generation)
    }

    /// A place for a ring that is in no queue yet.
    mutating func add(_ now: SchedulerTime) -> Index {
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
        let last = last
        table.update(index) { ($0.previous, $0.next) = (last, nil) }
        if let last { table.update(last) { $0.next = index } } else { first = index }
        self.last = index
        count += 1
    }

    mutating func remove(_ index: RingTable.Index, from table: inout RingTable) {
        let (previous, next) = table.update(index) { ($0.previous, $0.next) }
        if let previous { table.update(previous) { $0.next = next } } else { first = next }
        if let next { table.update(next) { $0.previous = previous } } else { last = previous }
        count -= 1
    }
}
