import XenCore

/// A `RingScheduler`'s rings, in places that are used again; each place links to its neighbours in a queue.
///
/// A queue is a circle through its head, which has a place of its own before those of the rings: whoever
/// joins or leaves has two neighbours in every case, so nothing branches.
@safe
@frozen
@usableFromInline
struct RingTable: ~Copyable, @unchecked Sendable {
    /// Where an entry lies: a queue's head, or after the heads a ring.
    @usableFromInline typealias Place = UInt32

    @frozen
    @usableFromInline
    enum State { case vacant, idle, active, serving, checking }

    /// First in, first out. The raw value is the place of its head.
    @frozen
    @usableFromInline
    enum Queue: Place, CaseIterable {
        /// Rings without credit, the one whose check is due first at the front.
        case idle
        /// Rings with credit, the one that waits longest at the front.
        case active
    }

    @frozen
    @usableFromInline
    struct Entry {
        @usableFromInline var generation: UInt32 = 0
        /// The neighbours in the queue that the entry is in. Of a vacant one: `next` is vacant too.
        @usableFromInline var previous: Place
        @usableFromInline var next: Place
        @usableFromInline var state: State
        /// Found to write without notifying, and not yet through with the credit for that.
        @usableFromInline var isLazy = false
        @usableFromInline var credit = 0
        @usableFromInline var checkDue: Deadline

        /// In no queue, and a neighbour of itself.
        init(at place: Place, _ state: State, checkDue: Deadline) {
            (previous, next) = (place, place)
            self.state = state
            self.checkDue = checkDue
        }
    }

    @inlinable static var headCount: Place { 2 }

    // Invariant: owned by this value, with room for `capacity` entries, of which the first `endPlace` are
    // initialized. Every link and every queue's head lies before `endPlace`.
    @usableFromInline var entries: UnsafeMutablePointer<Entry>
    private var capacity = 64
    /// Past the last place that was ever taken.
    @usableFromInline private(set) var endPlace: Place
    private var firstVacant: Place?
    private(set) var count = 0

    /// The entries touched so far: the cost that must not grow with the rings. Only debug builds count.
    @usableFromInline private(set) var accessCount: UInt64 = 0

    init() {
        unsafe entries = .allocate(capacity: capacity)
        endPlace = Self.headCount
        // A head is never due.
        let never = Deadline(sinceEpoch: Duration(attoseconds: .max))
        for queue in Queue.allCases {
            let head = queue.rawValue
            // Safe: the heads lie before `endPlace`, and that before the capacity.
            unsafe (entries + Int(head)).initialize(to: Entry(at: head, .vacant, checkDue: never))
        }
    }

    /// The same rings, for a test that goes on in several ways.
    init(copying other: borrowing RingTable) {
        capacity = other.capacity
        unsafe entries = .allocate(capacity: capacity)
        // Safe: see the invariant of both.
        unsafe entries.initialize(from: other.entries, count: Int(other.endPlace))
        endPlace = other.endPlace
        firstVacant = other.firstVacant
        count = other.count
    }

    // Inlinable, or the compiler (6.3.1) fails on inlinable users of what is stored here.
    @inlinable
    deinit { unsafe entries.deallocate() }
}

extension RingTable {
    @inlinable
    subscript(_ place: Place) -> Entry {
        mutating _read {
            countAccess()
            // Safe: see the invariant; places come from `find` and from links.
            yield unsafe entries[Int(place)]
        }
        _modify {
            countAccess()
            // Safe: as above.
            yield unsafe &entries[Int(place)]
        }
    }

    /// The first in a queue, or its head when it is empty. Counts no access.
    @inlinable
    func first(in queue: Queue) -> Place {
        // Safe: a head is always there.
        unsafe entries[Int(queue.rawValue)].next
    }

    /// When the check of the ring that lies there is due. Counts no access.
    @inlinable
    func checkDue(at place: Place) -> Deadline {
        // Safe: see the invariant.
        unsafe entries[Int(place)].checkDue
    }

    @inlinable
    mutating func countAccess() {
        #if DEBUG
            accessCount &+= 1
        #endif
    }

    /// The place of a ring; nil when the ring of this id has been removed.
    @inlinable
    mutating func find(_ id: RingID) -> Place? {
        // Wraps only for an id that no table has given, and then finds a head, which is vacant.
        let place = id.index &+ Self.headCount
        guard place < endPlace else { return nil }
        let entry = self[place]
        return entry.generation == id.generation && entry.state != .vacant ? place : nil
    }

    @inlinable
    mutating func id(at place: Place) -> RingID {
        RingID(index: place &- Self.headCount, generation: self[place].generation)
    }

    /// Appends a ring that is in no queue.
    @inlinable
    mutating func append(_ place: Place, to queue: Queue) {
        let head = queue.rawValue
        let last = self[head].previous
        self[place].previous = last
        self[place].next = head
        self[last].next = place
        self[head].previous = place
    }

    /// Takes a ring out of the queue in which it is.
    @inlinable
    mutating func takeOut(_ place: Place) {
        let (previous, next) = (self[place].previous, self[place].next)
        self[previous].next = next
        self[next].previous = previous
    }

    /// Takes in a ring, which is in no queue yet.
    mutating func add(at time: Deadline) -> Place {
        count += 1
        guard let place = firstVacant else { return addAtEnd(time) }
        let (generation, next) = (self[place].generation, self[place].next)
        firstVacant = next == place ? nil : next
        self[place] = Entry(at: place, .idle, checkDue: time)
        self[place].generation = generation
        return place
    }

    private mutating func addAtEnd(_ time: Deadline) -> Place {
        if Int(endPlace) == capacity { grow() }
        let place = endPlace
        // Safe: it lies before the capacity, and nothing is there yet.
        unsafe (entries + Int(place)).initialize(to: Entry(at: place, .idle, checkDue: time))
        endPlace += 1
        return place
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
        // Safe: all that is initialized moves, and what is left is given back once.
        unsafe larger.moveInitialize(from: entries, count: Int(endPlace))
        unsafe entries.deallocate()
        unsafe entries = unsafe larger
        capacity *= 2
    }

    /// Forgets a ring that is in no queue. Its place gets a new generation; the last of the vacant ones links to itself.
    mutating func remove(_ place: Place) {
        self[place].generation &+= 1
        self[place].state = .vacant
        self[place].next = firstVacant ?? place
        firstVacant = place
        count -= 1
    }
}
