/// All parties of one history, in one thread and on a virtual clock.
///
/// A party is a closure that is told the time, does one step without blocking, and says when it wants its next one.
/// Which of those that are due comes next, and how long a step takes, the seed decides: one seed is one history.
///
///     let simulation = Simulation(choices: HistoryChoices(seed: 7))
///     simulation.add("frontend", isRung: { process.hasPendingEvent }) { now in
///         try frontend.step(now: now)
///         return now + .milliseconds(250)       // looks again by then, or when it is rung
///     }
///     try simulation.run(until: { frontend.isDone }, within: .seconds(5), "all requests end")
///
/// It knows nothing of hypervisors. Parties look for events with a deadline that has passed (`.now`).
public final class Simulation {
    /// What the history's parties and faults ask.
    public let choices: HistoryChoices
    /// The virtual time.
    public private(set) var now: ContinuousClock.Instant
    /// The steps that were done.
    public private(set) var stepCount = 0
    /// Steps that a history may take. One that takes more goes round in circles.
    public var stepLimit = 100_000
    /// What was noted, a line each; nil when nobody wants to know.
    public private(set) var trace: [String]?

    private final class Party {
        let name: String
        var wake: ContinuousClock.Instant
        let isRung: () -> Bool
        let step: (ContinuousClock.Instant) throws -> ContinuousClock.Instant?

        init(
            _ name: String, _ wake: ContinuousClock.Instant, _ isRung: @escaping () -> Bool,
            _ step: @escaping (ContinuousClock.Instant) throws -> ContinuousClock.Instant?
        ) {
            self.name = name
            self.wake = wake
            self.isRung = isRung
            self.step = step
        }
    }

    private let start: ContinuousClock.Instant
    private var parties: [Party] = []

    public init(choices: HistoryChoices, isTraced: Bool = false) {
        self.choices = choices
        start = .now
        now = start
        trace = isTraced ? [] : nil
    }

    /// The virtual time that has passed.
    public var elapsed: Duration { start.duration(to: now) }

    /// Adds a party. Its first step is due at once.
    ///
    /// - Parameters:
    ///   - isRung: whether something has come for it, so that its step is due before its time.
    ///   - step: does what can be done now, and returns when to call it again at the latest; nil for never: it is
    ///     removed. What it throws ends the history as a failure.
    public func add(
        _ name: String, isRung: @escaping () -> Bool = { false },
        step: @escaping (ContinuousClock.Instant) throws -> ContinuousClock.Instant?
    ) {
        parties.append(Party(name, now, isRung, step))
    }

    /// Lets go of the parties, which may well hold on to this simulation.
    func dismissParties() { parties = [] }

    /// Adds a line to the trace, with the time.
    public func note(_ line: @autoclosure () -> String) {
        guard trace != nil else { return }
        let microseconds = elapsed / .microseconds(1)
        trace?.append("\(Int(microseconds.rounded())) us: \(line())")
    }

    /// Lets the parties go on until the condition holds.
    ///
    /// Throws what a party throws; and `SimulationFailure` when it does not hold in time, when nobody has anything
    /// left to do, or when `stepLimit` is passed.
    ///
    /// - Parameters:
    ///   - limit: virtual time from now.
    ///   - promise: what the condition stands for.
    public func run(
        until isDone: () -> Bool, within limit: Duration, _ promise: String
    ) throws {
        let deadline = now + limit
        while !isDone() {
            guard now <= deadline else {
                throw SimulationFailure(promise, "not within \(limit) of virtual time")
            }
            guard stepCount < stepLimit else {
                throw SimulationFailure(promise, "not within \(stepLimit) steps")
            }
            guard try stepNext(before: nil) else {
                throw SimulationFailure(promise, "and nobody has anything left to do")
            }
        }
    }

    /// Lets the parties go on for some virtual time.
    public func run(for duration: Duration) throws {
        let end = now + duration
        while stepCount < stepLimit, try stepNext(before: end) {}
        now = max(now, end)
    }

    /// One step of one party. False if none is due before `end`.
    private func stepNext(before end: ContinuousClock.Instant?) throws -> Bool {
        var due = parties.filter(isDue)
        if due.isEmpty {
            guard let next = parties.map(\.wake).min() else { return false }
            if let end, next >= end { return false }
            now = next
            due = parties.filter(isDue)
        }
        let party = due[due.count == 1 ? 0 : choices.number("turn", in: 0..<due.count)]
        now += .microseconds(choices.number("duration", in: 1..<60))
        stepCount += 1
        note(party.name)
        if let wake = try party.step(now) {
            party.wake = wake
        } else {
            parties.removeAll { $0 === party }
        }
        return true
    }

    private func isDue(_ party: Party) -> Bool { party.wake <= now || party.isRung() }
}
