import XenCore

/// Decides what an event thread does next: which port it serves, unmasks or keeps waiting, when jobs run,
/// when it spins and when it sleeps. A value, without a thread, a clock or a handle in it.
///
/// The shell asks `next`, does what it is told, and reports it. So the rule 'handle, unmask, look again' is
/// kept here alone: a port that was unmasked is handed out once more before anything else is done.
/// A port that rang stays masked until its turn has come, so each has at most one event waiting.
///
/// What waiting threads and tasks have to be told collects in `takeWoken()`.
package struct PortScheduler: Hashable, Sendable {
    package typealias PortID = EventThread.PortID
    package typealias Turn = EventThread.Turn
    package typealias Instant = ContinuousClock.Instant

    package enum Step: Hashable, Sendable {
        /// Unmask this port, then report `unmasked(_:)`.
        case unmask(PortID, EventPort)
        /// Let this port's handler have a turn, then report `served(_:_:now:)`.
        case serve(PortID, Turn)
        /// Run jobs, then report `ranJobs(_:)`.
        case runJobs(atMost: Int)
        /// Take events that have come, without waiting, and report each: `rang(_:)`.
        case collect(atMost: Int)
        /// Look around for so long, then report `spun(for:foundWork:)`.
        case spin(Duration)
        /// Wait for an event, then report `slept()`, and `rang(_:)` if there was one.
        case park(until: Instant?)
    }

    /// What is left until events are collected again.
    private struct Round: Hashable {
        var turnsLeft: Int
        var hasJobTurn = true
    }

    /// What comes first, before any other port: the rest of the rule.
    enum Current: Hashable {
        case unmask(ServedPorts.Index)
        case look(ServedPorts.Index)
    }

    package let limits: EventThread.Limits
    package internal(set) var counters = EventThread.Counters()
    package var policy: SpinPolicy

    var table = ServedPorts()
    /// Ports whose handlers wait for a turn, ports kept waiting for storming, ports whose ring is not armed.
    private var ready = ServedPortQueue()
    var held = ServedPortQueue()
    private var unarmed = ServedPortQueue()
    var current: Current?
    private var round = Round(turnsLeft: 0)
    /// Has spun since it last had something to do.
    var hasSpun = false

    package internal(set) var woken: [Woken] = []
    var subscriptions: [Subscription] = []
    var lastTicket: UInt64 = 0
    /// No deadline of a waiter and no end of a port's pause is earlier than this.
    var earliest: Instant?

    package init(limits: EventThread.Limits, policy: SpinPolicy) {
        precondition(limits.arePositive, "limits are positive, or nothing would ever be served")
        self.limits = limits
        self.policy = policy
    }

    /// Takes in a port, whose peer may have rung before we listened: it begins as if it had rung.
    /// One that it has under this number already must have been closed, and is forgotten.
    package mutating func add(_ port: EventPort, hasHandler: Bool, hasPoll: Bool) -> PortID {
        if let former = table.find(port) { remove(table.id(of: former)) }
        let index = table.add(port)
        table.entries[index].hasHandler = hasHandler
        table.entries[index].hasPoll = hasPoll
        table.entries[index].isMasked = true
        table.entries[index].isExcused = true
        makeReady(index)
        return table.id(of: index)
    }

    /// Forgets a port, also while its handler has a turn or threads wait for it.
    ///
    /// - Returns: false if it had been removed before.
    @discardableResult
    package mutating func remove(_ id: PortID) -> Bool {
        guard let index = table.find(id) else { return false }
        leaveQueue(index)
        switch current {
        case .unmask(index), .look(index): current = nil
        default: break
        }
        wakeAll(index, .closed)
        dropFromSubscriptions(id)
        table.remove(index)
        return true
    }

    /// What to do next. Nothing is handed out twice before it is reported.
    package mutating func next(hasJobs: Bool, now: () -> Instant) -> Step {
        if let earliest { passTime(to: now(), earliest) }
        switch current {
        case .unmask(let index): return .unmask(table.id(of: index), table.entries[index].port)
        case .look(let index):
            current = nil
            return handOut(index)
        case nil: break
        }
        if hasJobs && round.hasJobTurn {
            round.hasJobTurn = false
            return .runJobs(atMost: limits.jobsPerRound)
        }
        if round.turnsLeft > 0, let step = nextTurn(now) { return step }
        let isBusy = hasJobs || ready.count > 0
        // Each ready port once; after a sleep, the one that ended it.
        round = Round(turnsLeft: min(max(1, ready.count), limits.turnsPerRound))
        return isBusy ? .collect(atMost: limits.eventsPerRound) : idle()
    }

    /// The next port's turn, or for one without a handler, its unmasking. Nil when no port is ready.
    private mutating func nextTurn(_ now: () -> Instant) -> Step? {
        while let index = ready.first, round.turnsLeft > 0 {
            round.turnsLeft -= 1
            leaveQueue(index)
            if table.entries[index].hasHandler { return handOut(index) }
            endEvent(index, now)
            if case .unmask = current {
                return .unmask(table.id(of: index), table.entries[index].port)
            }
        }
        return nil
    }

    /// There is nothing to do: spin, arm, park.
    private mutating func idle() -> Step {
        if !hasSpun {
            hasSpun = true
            let budget = policy.budget
            if budget > .zero { return .spin(budget) }
        }
        if let index = unarmed.first {
            leaveQueue(index)
            return handOut(index, mustArm: true)
        }
        return .park(until: earliest)
    }

    private mutating func handOut(_ index: ServedPorts.Index, mustArm: Bool = false) -> Step {
        let mustArm = mustArm || !table.entries[index].hasPoll || policy.budget == .zero
        table.entries[index].state = .serving
        table.entries[index].mustArm = mustArm
        count(for: index) { $0.turnCount += 1 }
        return .serve(
            table.id(of: index), Turn(budget: limits.messagesPerTurn, mustArm: mustArm))
    }
}

// The queues that a port can be in.
extension PortScheduler {
    /// Puts a port that is in no queue, and not masked, where it waits for its next event.
    mutating func settle(_ index: ServedPorts.Index) {
        if table.entries[index].hasHandler && !table.entries[index].mustArm {
            table.entries[index].state = .unarmed
            unarmed.append(index, to: &table)
        } else {
            table.entries[index].state = .idle
        }
    }

    /// Its handler has a turn when all that wait already have had theirs.
    mutating func makeReady(_ index: ServedPorts.Index) {
        leaveQueue(index)
        table.entries[index].state = .ready
        ready.append(index, to: &table)
    }

    private mutating func leaveQueue(_ index: ServedPorts.Index) {
        switch table.entries[index].state {
        case .ready: ready.remove(index, from: &table)
        case .unarmed: unarmed.remove(index, from: &table)
        case .held:
            held.remove(index, from: &table)
            table.entries[index].due = nil
            table.entries[index].isExcused = true
        case .vacant, .idle, .serving, .unmasking: return
        }
        table.entries[index].state = .idle
    }
}
