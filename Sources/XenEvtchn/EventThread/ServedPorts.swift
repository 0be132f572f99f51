import XenCore

/// A `PortScheduler`'s ports, in places that are used again; each place links to its neighbours in a queue.
struct ServedPorts: Hashable, Sendable {
    typealias Index = Int

    struct Entry: Hashable, Sendable {
        enum State: Hashable { case vacant, idle, unarmed, ready, held, serving, unmasking }

        var port: EventPort
        var generation: UInt32 = 0
        var state = State.vacant
        var hasHandler = false
        var hasPoll = false
        /// Has rung, and was not unmasked since.
        var isMasked = false
        /// There was work since an event was last judged; of a port without a handler: somebody awaited it.
        var hasWorked = false
        /// This event is not judged: it was kept waiting as part of a storm, or is the look at a new port.
        var isExcused = false
        /// The turn that its handler has must end with the final check.
        var mustArm = true
        /// Events in a row for which there was no work.
        var spuriousInARow = 0
        /// When a held port goes on.
        var due: ContinuousClock.Instant?
        /// Grows each time that the port is able to ring again: what `wait(after:)` compares.
        var activationCount: UInt64 = 0
        var waiters: [PortScheduler.Waiter] = []
        var counters = EventThread.PortCounters()
        /// The neighbours in the queue that the entry is in. Of a vacant one: `next` is vacant too.
        var previous: Index?
        var next: Index?
    }

    // Accessed directly: an accessor in between would allocate in a debug build.
    var entries: [Entry] = []
    private var firstVacant: Index?
    private var indices: [EventPort: Index] = [:]

    /// The places in use.
    var occupied: [Index] {
        entries.indices.filter { entries[$0].state != .vacant }
    }

    func id(of index: Index) -> EventThread.PortID {
        EventThread.PortID(index: UInt32(index), generation: entries[index].generation)
    }

    /// Nil when the port of this id has been removed.
    func find(_ id: EventThread.PortID) -> Index? {
        guard id.index < entries.count, entries[Int(id.index)].state != .vacant,
            entries[Int(id.index)].generation == id.generation
        else { return nil }
        return Int(id.index)
    }

    /// The entry that now serves a port of this number.
    func find(_ port: EventPort) -> Index? { indices[port] }

    /// A place for a port that is in no queue yet. No other entry may have its number.
    mutating func add(_ port: EventPort) -> Index {
        let index: Index
        if let vacant = firstVacant {
            index = vacant
            firstVacant = entries[index].next
            entries[index] = Entry(port: port, generation: entries[index].generation, state: .idle)
        } else {
            index = entries.count
            entries.append(Entry(port: port, state: .idle))
        }
        indices[port] = index
        return index
    }

    /// The port must be in no queue any more. Its place gets a new generation.
    mutating func remove(_ index: Index) {
        let entry = entries[index]
        indices[entry.port] = nil
        entries[index] = Entry(
            port: entry.port, generation: entry.generation &+ 1, next: firstVacant)
        firstVacant = index
    }
}

/// First in, first out, linked through the entries of a `ServedPorts`, so that any member can leave in O(1).
struct ServedPortQueue: Hashable, Sendable {
    private(set) var first: ServedPorts.Index?
    private var last: ServedPorts.Index?
    private(set) var count = 0

    mutating func append(_ index: ServedPorts.Index, to table: inout ServedPorts) {
        table.entries[index].previous = last
        table.entries[index].next = nil
        if let last { table.entries[last].next = index } else { first = index }
        last = index
        count += 1
    }

    mutating func remove(_ index: ServedPorts.Index, from table: inout ServedPorts) {
        let (previous, next) = (table.entries[index].previous, table.entries[index].next)
        if let previous { table.entries[previous].next = next } else { first = next }
        if let next { table.entries[next].previous = previous } else { last = previous }
        count -= 1
    }
}
