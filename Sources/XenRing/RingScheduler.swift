public import XenCore

/// Decides which of thousands of rings is served next, by one event loop. A value, without a thread, a
/// clock or a ring's memory in it.
///
/// A ring is served only while it has *credit*: an event adds one, a served round takes one. Active rings
/// take turns. A ring without credit costs nothing but a check every 20 seconds, since some peers write
/// without notifying: one that is found out gets many rounds of credit. Taking a busy peer for a lazy one
/// harms nobody, for a round on an empty ring is only a look.
///
/// Every call is O(1), however many rings there are.
///
///     while !stopped {
///         switch scheduler.next(now: .now) {
///         case .serve(let id, let budget): scheduler.served(id, try serve(id, atMost: budget))
///         case .check(let id): log(scheduler.checked(id, hasWork: try lookAt(id)))
///         case .wait(let deadline): for id in try events(until: deadline) { scheduler.event(on: id) }
///         }
///     }
///
/// The idea and the numbers are those of the `io_credit` of Xen's oxenstored.
@frozen
public struct RingScheduler: ~Copyable, Sendable {
    public let limits: Limits
    @usableFromInline var counts: Statistics
    @usableFromInline var table: RingTable

    /// The latest time that was heard of; it never goes back.
    @usableFromInline var now: Deadline
    /// Checks due by then belong to the sweep that has begun. Not before `now`.
    @usableFromInline var sweepEnd: Deadline
    @usableFromInline let sweepLength: Duration

    @usableFromInline var waitingCount = 0
    /// What is left until events are collected again.
    @usableFromInline var isInTurn = false
    @usableFromInline var checksLeft = 0
    @usableFromInline var roundsLeft = 0

    /// - Parameter now: the time at which it begins; `next(now:)` tells how it goes on.
    public init(limits: Limits = Limits(), now: Deadline = .now) {
        precondition(
            limits.budget > 0 && limits.eventCredit > 0 && limits.lazyCredit > 0
                && limits.lazyCreditPerRing >= 0 && limits.checkPeriod > .zero
                && limits.checksPerTurn > 0 && limits.roundsPerTurn > 0,
            "limits are positive, or nothing would ever be served")
        self.limits = limits
        self.now = now
        sweepEnd = now
        sweepLength = limits.checkPeriod / 8
        counts = Statistics()
        table = RingTable()
    }

    /// The rings that there are.
    public var count: Int { table.count }

    /// The rings that wait to be served.
    @inlinable
    public var activeCount: Int { waitingCount }

    /// Counted since the scheduler was made.
    public var statistics: Statistics { counts }

    /// When `next(now:)` has something to do, if no event comes first. In the past: at once.
    @inlinable
    public var nextWake: Deadline {
        if activeCount > 0 { return now }
        let first = table.first(in: .idle)
        guard first != RingTable.Queue.idle.rawValue else { return now + limits.checkPeriod }
        let due = table.checkDue(at: first)
        return due <= sweepEnd ? now : due
    }

    /// Takes in a ring. It begins with one credit: its peer may have written before we listened.
    public mutating func add() -> RingID {
        let place = table.add(at: now)
        table[place].credit = 1
        settle(place)
        return table.id(at: place)
    }

    /// Forgets a ring, also while it is being served or checked.
    ///
    /// - Returns: false if it had been removed before.
    @discardableResult
    public mutating func remove(_ id: RingID) -> Bool {
        guard let place = find(id) else { return false }
        switch table[place].state {
        case .active:
            waitingCount -= 1
            table.takeOut(place)
        case .idle: table.takeOut(place)
        case .serving, .checking, .vacant: break
        }
        table.remove(place)
        return true
    }

    /// The ring's peer notified us.
    ///
    /// - Returns: false if the ring has been removed: an event that came too late.
    @inlinable
    @discardableResult
    public mutating func event(on id: RingID) -> Bool {
        guard let place = find(id) else { return false }
        counts.eventCount &+= 1
        if table[place].isLazy {
            table[place].isLazy = false
            counts.falsePositiveCount &+= 1
        }
        if table[place].credit < limits.eventCredit { table[place].credit += 1 }
        if table[place].state == .idle {
            table.takeOut(place)
            settle(place)
        }
        return true
    }

    /// What to do next. A ring that is handed out is not handed out again before it is reported back.
    ///
    /// Before it says `.wait` it asks for no more rounds than rings were active, so new events are never
    /// kept waiting for long.
    ///
    /// - Parameter now: the time, which is only asked for when a turn begins, after `.wait`; one that lies before an
    ///   earlier one counts as that one.
    @inlinable
    public mutating func next(now: @autoclosure () -> Deadline) -> Step {
        if !isInTurn { beginTurn(at: now()) }
        if checksLeft > 0 {
            if let id = takeCheck() {
                checksLeft -= 1
                return .check(id)
            }
            // Nor will there be another in this turn, in which no time passes.
            checksLeft = 0
        }
        if roundsLeft > 0, let id = takeRound() {
            roundsLeft -= 1
            return .serve(id, budget: limits.budget)
        }
        isInTurn = false
        return .wait(until: nextWake)
    }

    @inlinable
    mutating func beginTurn(at time: Deadline) {
        if now < time { now = time }
        if sweepEnd < now { sweepEnd = now }
        isInTurn = true
        checksLeft = limits.checksPerTurn
        roundsLeft = min(activeCount, limits.roundsPerTurn)
    }

    /// Reports a round that `next(now:)` asked for.
    ///
    /// - Returns: false if the ring has been removed meanwhile.
    @inlinable
    @discardableResult
    public mutating func served(_ id: RingID, _ outcome: Outcome) -> Bool {
        guard let place = find(id) else { return false }
        precondition(table[place].state == .serving, "this ring was not handed out to be served")
        if outcome == .budgetUsed, table[place].credit < 1 { table[place].credit = 1 }
        settle(place)
        return true
    }

    /// Reports a check that `next(now:)` asked for.
    @discardableResult
    public mutating func checked(_ id: RingID, hasWork: Bool) -> Verdict {
        guard let place = find(id) else { return .stale }
        precondition(table[place].state == .checking, "this ring was not handed out to be checked")
        defer { settle(place) }
        if table[place].credit > 0 { return .notified }
        guard hasWork else { return .quiet }
        counts.lazyCount &+= 1
        let roundCount = limits.lazyCredit + limits.lazyCreditPerRing * count
        (table[place].credit, table[place].isLazy) = (roundCount, true)
        return .lazy(roundCount: roundCount)
    }

    /// A scheduler that goes on from here by itself, for a test that tries several ways.
    package func copy() -> RingScheduler { RingScheduler(copying: self) }

    private init(copying other: borrowing RingScheduler) {
        (limits, counts, now) = (other.limits, other.counts, other.now)
        (sweepEnd, sweepLength) = (other.sweepEnd, other.sweepLength)
        (waitingCount, isInTurn) = (other.waitingCount, other.isInTurn)
        (checksLeft, roundsLeft) = (other.checksLeft, other.roundsLeft)
        table = RingTable(copying: other.table)
    }

    /// The rings' entries touched so far, for the test that each call touches only a few. Only debug builds count.
    package var accessCount: UInt64 { table.accessCount }
}

extension RingScheduler {
    /// Puts a ring that is in no queue into the one where it belongs.
    @inlinable
    mutating func settle(_ place: RingTable.Place) {
        if table[place].credit > 0 {
            table[place].state = .active
            waitingCount += 1
            table.append(place, to: .active)
        } else {
            table[place].state = .idle
            table[place].isLazy = false
            table[place].checkDue = now + limits.checkPeriod
            table.append(place, to: .idle)
        }
    }

    /// A credit is taken before its round, so that an event in mid-round brings another round.
    @inlinable
    mutating func takeRound() -> RingID? {
        guard activeCount > 0 else { return nil }
        let place = table.first(in: .active)
        table.takeOut(place)
        waitingCount -= 1
        counts.roundCount &+= 1
        table[place].credit -= 1
        table[place].state = .serving
        return table.id(at: place)
    }

    /// Due times never decrease along the queue, since each is the time of joining it plus the period.
    @inlinable
    mutating func takeCheck() -> RingID? {
        // Of an empty queue this is the head, which is never due.
        let place = table.first(in: .idle)
        let due = table.checkDue(at: place)
        guard due <= sweepEnd else { return nil }
        if due <= now { sweepEnd = now + sweepLength }
        table.takeOut(place)
        counts.checkCount &+= 1
        table[place].state = .checking
        return table.id(at: place)
    }

    /// Nil, and counted, when the ring of this id has been removed.
    @inlinable
    mutating func find(_ id: RingID) -> RingTable.Place? {
        if let place = table.find(id) { return place }
        counts.staleCount &+= 1
        return nil
    }
}
