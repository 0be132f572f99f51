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
public struct RingScheduler: Sendable {
    public let limits: Limits
    public private(set) var statistics = Statistics()

    private(set) var table: RingTable
    /// Rings with credit, the one that waits longest first.
    private var active = RingQueue()
    /// Rings without credit, the one whose check is due first at the front.
    private var idle = RingQueue()

    /// The latest time that was heard of; it never goes back.
    private var now: SchedulerTime
    /// Checks due by then belong to the sweep that has begun.
    private var sweepEnd: SchedulerTime
    private let sweepLength: Duration
    /// What is left until events are collected again; nil before a turn begins.
    private var turn: Turn?

    private struct Turn {
        var checksLeft: Int
        var roundsLeft: Int
    }

    /// - Parameter now: the time at which it begins; `next(now:)` tells how it goes on.
    public init(limits: Limits = Limits(), now: ContinuousClock.Instant = .now) {
        precondition(
            limits.budget > 0 && limits.eventCredit > 0 && limits.lazyCredit > 0
                && limits.lazyCreditPerRing >= 0 && limits.checkPeriod > .zero
                && limits.checksPerTurn > 0 && limits.roundsPerTurn > 0,
            "limits are positive, or nothing would ever be served")
        self.limits = limits
        self.now = SchedulerTime(Deadline(at: now))
        sweepEnd = self.now
        sweepLength = limits.checkPeriod / 8
        table = RingTable()
    }

    /// The rings that there are.
    public var count: Int { table.count }

    /// The rings that wait to be served.
    public var activeCount: Int { active.count }

    /// When `next(now:)` has something to do, if no event comes first. In the past: at once.
    public var nextWake: Deadline {
        if active.count > 0 { return now.deadline }
        guard let first = idle.first else { return (now + limits.checkPeriod).deadline }
        let due = table.peek(first).checkDue
        return due <= sweepEnd ? now.deadline : due.deadline
    }

    /// Takes in a ring. It begins with one credit: its peer may have written before we listened.
    public mutating func add() -> RingID {
        let index = table.add(now)
        table[index].credit = 1
        settle(index)
        return table.id(of: index)
    }

    /// Forgets a ring, also while it is being served or checked.
    ///
    /// - Returns: false if it had been removed before.
    @discardableResult
    public mutating func remove(_ id: RingID) -> Bool {
        guard let state = update(id, { $0.state }) else { return false }
        switch state {
        case .active: active.remove(id.index, from: &table)
        case .idle: idle.remove(id.index, from: &table)
        case .serving, .checking, .vacant: break
        }
        table.remove(id.index)
        return true
    }

    /// The ring's peer notified us.
    ///
    /// - Returns: false if the ring has been removed: an event that came too late.
    @discardableResult
    public mutating func event(on id: RingID) -> Bool {
        let eventCredit = limits.eventCredit
        let change = update(id) { entry in
            let wasLazy = entry.isLazy
            entry.isLazy = false
            if entry.credit < eventCredit { entry.credit += 1 }
            return (wasLazy: wasLazy, isIdle: entry.state == .idle)
        }
        guard let change else { return false }
        statistics.eventCount += 1
        if change.wasLazy { statistics.falsePositiveCount += 1 }
        if change.isIdle {
            idle.remove(id.index, from: &table)
            settle(id.index)
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
    public mutating func next(now: @autoclosure () -> ContinuousClock.Instant) -> Step {
        next(at: Deadline(at: now()))
    }

    /// The same, with the time as a `Deadline`, which costs less.
    public mutating func next(at now: @autoclosure () -> Deadline) -> Step {
        var turn = turn ?? newTurn(at: SchedulerTime(now()))
        if turn.checksLeft > 0, let id = takeCheck() {
            turn.checksLeft -= 1
            self.turn = turn
            return .check(id)
        }
        if turn.roundsLeft > 0, let id = takeRound() {
            turn.roundsLeft -= 1
            self.turn = turn
            return .serve(id, budget: limits.budget)
        }
        self.turn = nil
        return .wait(until: nextWake)
    }

    private mutating func newTurn(at time: SchedulerTime) -> Turn {
        now = max(now, time)
        return Turn(
            checksLeft: limits.checksPerTurn, roundsLeft: min(active.count, limits.roundsPerTurn))
    }

    /// Reports a round that `next(now:)` asked for.
    ///
    /// - Returns: false if the ring has been removed meanwhile.
    @discardableResult
    public mutating func served(_ id: RingID, _ outcome: Outcome) -> Bool {
        let known: Void? = update(id) { entry in
            precondition(entry.state == .serving, "\(id) was not handed out to be served")
            if outcome == .budgetUsed { entry.credit = max(entry.credit, 1) }
        }
        guard known != nil else { return false }
        settle(id.index)
        return true
    }

    /// Reports a check that `next(now:)` asked for.
    @discardableResult
    public mutating func checked(_ id: RingID, hasWork: Bool) -> Verdict {
        let roundCount = limits.lazyCredit + limits.lazyCreditPerRing * count
        let verdict = update(id) { entry in
            precondition(entry.state == .checking, "\(id) was not handed out to be checked")
            if entry.credit > 0 { return Verdict.notified }
            guard hasWork else { return .quiet }
            (entry.credit, entry.isLazy) = (roundCount, true)
            return .lazy(roundCount: roundCount)
        }
        guard let verdict else { return .stale }
        if case .lazy = verdict { statistics.lazyCount += 1 }
        settle(id.index)
        return verdict
    }

    /// The rings' entries touched so far, for the test that each call touches only a few.
    package var accessCount: UInt64 { table.accessCount }

    /// Puts a ring that is in no queue into the one where it belongs.
    private mutating func settle(_ index: RingTable.Index) {
        let due = now + limits.checkPeriod
        let isActive = table.update(index) { entry in
            if entry.credit > 0 {
                entry.state = .active
                return true
            }
            (entry.state, entry.isLazy, entry.checkDue) = (.idle, false, due)
            return false
        }
        if isActive { active.append(index, to: &table) } else { idle.append(index, to: &table) }
    }

    /// A credit is taken before its round, so that an event in mid-round brings another round.
    private mutating func takeRound() -> RingID? {
        guard let index = active.first else { return nil }
        active.remove(index, from: &table)
        statistics.roundCount += 1
        return table.update(index) { entry in
            entry.credit -= 1
            entry.state = .serving
            return RingID(index: index, generation: entry.generation)
        }
    }

    /// Due times never decrease along the queue, since each is the time of joining it plus the period.
    private mutating func takeCheck() -> RingID? {
        guard let index = idle.first else { return nil }
        let due = table.update(index) { $0.checkDue }
        if due <= now { sweepEnd = now + sweepLength }
        guard due <= sweepEnd else { return nil }
        idle.remove(index, from: &table)
        statistics.checkCount += 1
        return table.update(index) { entry in
            entry.state = .checking
            return RingID(index: index, generation: entry.generation)
        }
    }

    /// Nil, and counted, when the ring of this id has been removed.
    @inline(__always)
    private mutating func update<Result>(
        _ id: RingID, _ body: (inout RingTable.Entry) -> Result
    ) -> Result? {
        if let result = table.update(id, body) { return result }
        statistics.staleCount += 1
        return nil
    }
}
