public import XenCore

extension RingScheduler {
    /// What the event loop does next.
    @frozen
    public enum Step: Hashable, Sendable {
        /// Serve this ring, at most `budget` messages, then call `served(_:_:)`.
        case serve(RingID, budget: Int)

        /// Look whether this ring has work, then call `checked(_:hasWork:)`.
        case check(RingID)

        /// Collect events, and wait for them no longer than this; then ask again. The deadline has
        /// already passed while there is more to do: then only take what has come.
        case wait(until: Deadline)
    }

    /// How a round ended.
    @frozen
    public enum Outcome: Hashable, Sendable {
        /// The ring was found empty by the final check, so the peer will notify us of what comes next.
        case emptied
        /// There may be more: the ring is served again, after all other active rings.
        case budgetUsed
    }

    /// What a check showed.
    @frozen
    public enum Verdict: Hashable, Sendable {
        /// The ring has no work.
        case quiet
        /// The peer notified us while we looked.
        case notified
        /// The ring had work that nobody told us of: its peer gets this many rounds. To be logged at info.
        case lazy(roundCount: Int)
        /// The ring had been removed.
        case stale
    }

    /// Bounds, each of them on what one peer can cost the others.
    public struct Limits: Hashable, Sendable {
        /// Messages in one round.
        public var budget: Int = 32

        /// Rounds that a storm of events can save up for one ring.
        public var eventCredit: Int = 8

        /// Rounds that a lazy peer gets, and more for each ring that there is.
        public var lazyCredit: Int = 32
        public var lazyCreditPerRing: Int = 2

        /// A ring without credit is looked at no later than this after it was last found empty.
        /// Up to an eighth earlier, to check several rings in one wake-up.
        public var checkPeriod: Duration = .seconds(20)

        /// Rings checked, and rounds served, before events are collected again.
        public var checksPerTurn: Int = 16
        public var roundsPerTurn: Int = 64

        /// oxenstored's numbers where it has them.
        public init() {}
    }

    /// Counted since the scheduler was made.
    public struct Statistics: Hashable, Sendable {
        public var eventCount: UInt64 = 0
        public var roundCount: UInt64 = 0
        public var checkCount: UInt64 = 0

        /// Checks that found work of which no event had told.
        public var lazyCount: UInt64 = 0

        /// Of these, the peers whose event came after all, before their credit was used up.
        public var falsePositiveCount: UInt64 = 0

        /// Calls with the id of a removed ring.
        public var staleCount: UInt64 = 0
    }
}

extension RingScheduler.Verdict: CustomStringConvertible {
    /// For a log: what was found, and what follows.
    public var description: String {
        switch self {
        case .quiet: "no work"
        case .notified: "the peer notified us meanwhile"
        case .lazy(let roundCount):
            "work of which no event had told: the peer gets \(roundCount) rounds of credit"
        case .stale: "the ring had been removed"
        }
    }
}
