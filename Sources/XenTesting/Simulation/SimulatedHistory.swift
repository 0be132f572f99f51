/// A kind of history: a stage, its parties, their faults and what is promised of them; a seed makes one of it.
///
///     let history = SimulatedHistory("my driver") { simulation in
///         ...                                          // throws when a promise is broken
///     }
///     try history.check(seeds: 0..<1000)
///
/// A failed history is shrunk: faults and steps of the work are taken out for as long as it still breaks the same
/// promise. It replays from its seed and what is left.
public struct SimulatedHistory: Sendable {
    public let name: String
    private let play: @Sendable (Simulation) throws -> Void

    /// - Parameter play: plays one history to its end, with all that is random taken from the simulation. It is
    ///   called again for each seed and each replay, in whatever thread.
    public init(_ name: String, _ play: @escaping @Sendable (Simulation) throws -> Void) {
        self.name = name
        self.play = play
    }

    /// Plays one history.
    ///
    /// - Parameter only: what may happen in it, as a failure lists it; nil for everything.
    public func run(
        seed: UInt64, only: Set<HistoryChoice>? = nil, isTraced: Bool = false
    ) -> HistoryOutcome {
        let choices = HistoryChoices(seed: seed, only: only)
        let simulation = Simulation(choices: choices, isTraced: isTraced)
        var failure: SimulationFailure?
        do {
            try play(simulation)
        } catch let broken as SimulationFailure {
            failure = broken
        } catch {
            failure = SimulationFailure("no party fails unexpectedly", "\(error)")
        }
        if let failure { simulation.note("failed: \(failure)") }
        simulation.dismissParties()
        return HistoryOutcome(
            failure: failure, taken: choices.taken, stepCount: simulation.stepCount,
            duration: simulation.elapsed, trace: simulation.trace ?? [])
    }

    /// Plays histories until one fails, and throws that one, shrunk.
    ///
    /// - Parameter replayLimit: how many histories to play to shrink it.
    public func check(
        seeds: some Sequence<UInt64>, replayLimit: Int = 500
    ) throws(FailedHistory) {
        for seed in seeds {
            let outcome = run(seed: seed)
            if outcome.failure != nil {
                throw shrunk(outcome, seed: seed, replayLimit: replayLimit)
            }
        }
    }

    /// The smallest history found that breaks the promise which the history of this seed breaks.
    ///
    /// - Parameter replayLimit: how many histories to play for it.
    public func shrunk(seed: UInt64, replayLimit: Int = 500) -> FailedHistory {
        shrunk(run(seed: seed), seed: seed, replayLimit: replayLimit)
    }

    /// - Parameter first: what is returned as it is, should the failure not come again.
    private func shrunk(
        _ first: HistoryOutcome, seed: UInt64, replayLimit: Int
    ) -> FailedHistory {
        var kept = first.taken
        var replaysLeft = replayLimit
        func stillFails(_ only: [HistoryChoice]) -> Bool {
            guard let promise = first.failure?.promise else { return false }
            replaysLeft -= 1
            return run(seed: seed, only: Set(only)).failure?.promise == promise
        }
        var partCount = 2
        while !kept.isEmpty, replaysLeft > 0 {
            let size = max(1, kept.count / partCount)
            var hasShrunk = false
            // From the end, since what came late follows from what came before.
            var end = kept.count
            while end > 0, replaysLeft > 0 {
                let begin = max(0, end - size)
                let fewer = Array(kept[..<begin] + kept[end...])
                if stillFails(fewer) {
                    kept = fewer
                    hasShrunk = true
                }
                end = begin
            }
            if size == 1, !hasShrunk { break }
            partCount = size == 1 ? kept.count : partCount * 2
        }
        let last = run(seed: seed, only: Set(kept), isTraced: true)
        let recurs = last.failure?.promise == first.failure?.promise
        return FailedHistory(
            history: name, seed: seed, only: recurs ? kept : first.taken,
            takenCount: first.taken.count, outcome: recurs ? last : first)
    }
}
