/// What came of one history.
public struct HistoryOutcome: Sendable {
    /// The promise that it broke; nil if it kept them all.
    public let failure: SimulationFailure?
    /// The faults and the steps of the work that happened.
    public let taken: [HistoryChoice]
    /// The parties' steps.
    public let stepCount: Int
    /// The virtual time that passed.
    public let duration: Duration
    /// What was noted, if the history was traced.
    public let trace: [String]
}

/// A history that broke a promise, shrunk. Its description says how to play it again.
public struct FailedHistory: Error, Sendable {
    /// The kind of history.
    public let history: String
    public let seed: UInt64
    /// What is left in it of faults and work.
    public let only: [HistoryChoice]
    /// How much of these it had before it was shrunk.
    public let takenCount: Int
    /// How the shrunk history went, with its trace.
    public let outcome: HistoryOutcome
}

extension FailedHistory: CustomStringConvertible {
    public var description: String {
        let broken = outcome.failure.map { "\($0)" } ?? "it fails no more when it is played again"
        let left = only.map { "\($0)" }.joined(separator: ",")
        return """
            history '\(history)', seed \(seed): \(broken)
            shrunk from \(takenCount) faults and steps of the work to \(only.count): \(left)
            """
    }
}
