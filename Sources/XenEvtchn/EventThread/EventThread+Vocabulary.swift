extension EventThread {
    /// A port that the thread serves. The number of a port is used again after it was closed; an id never is.
    public struct PortID: Hashable, Sendable {
        let index: UInt32
        let generation: UInt32
    }

    /// A handler's turn, and its bounds.
    public struct Turn: Hashable, Sendable {
        /// Handle at most about this many messages, then let the others have a turn.
        public let budget: Int

        /// Whether the turn has to end with the ring's final check (`next()` returned nil), so that the peer
        /// notifies us. False while the thread goes on looking through the port's `poll` closure: then a handler
        /// may leave its ring unarmed, which saves the peer its notification. It gets another turn before the
        /// thread sleeps. Ending with the final check is always right.
        public let mustArm: Bool

        package init(budget: Int, mustArm: Bool) {
            self.budget = budget
            self.mustArm = mustArm
        }
    }

    /// How a handler's turn ended. `handled` counts messages: with none, the event was spurious.
    public enum Outcome: Hashable, Sendable {
        /// The ring was found empty by the final check, so the peer notifies us of what comes next.
        case emptied(handled: Int)
        /// There may be more: the handler gets another turn, after all others. Its port stays masked until then.
        case budgetUsed(handled: Int)
        /// The ring was found empty, without the final check. Only where `Turn.mustArm` is false.
        case unarmed(handled: Int)
    }

    /// Bounds, each of them on what one peer, or one actor, can cost the others.
    public struct Limits: Hashable, Sendable {
        /// Messages in one turn of a port's handler.
        public var messagesPerTurn: Int = 64

        /// Turns of ports, jobs of actors, and events taken from the handle, before the next kind has its turn.
        public var turnsPerRound: Int = 64
        public var jobsPerRound: Int = 64
        public var eventsPerRound: Int = 64

        /// Events without work that one port may send in a row. After more it stays masked for a while: the
        /// shortest pause first, then twice as long each time, up to the longest (XSA-332, XSA-391).
        public var spuriousInARow: Int = 16
        public var shortestPause: Duration = .milliseconds(1)
        public var longestPause: Duration = .milliseconds(128)

        /// The longest time for which the thread looks for work before it sleeps. It looks no longer than a sleep
        /// costs, and less when that proved vain. Zero: it sleeps at once.
        public var longestSpin: Duration = .microseconds(50)

        public init() {}

        var arePositive: Bool {
            messagesPerTurn > 0 && turnsPerRound > 0 && jobsPerRound > 0 && eventsPerRound > 0
                && spuriousInARow >= 0 && shortestPause > .zero && longestPause >= shortestPause
                && longestSpin >= .zero
        }
    }

    /// Counted for one port since the thread serves it, or for all ports together.
    public struct PortCounters: Hashable, Sendable {
        /// Times that the port rang.
        public internal(set) var eventCount: UInt64 = 0
        /// Of these, those for which there was no work.
        public internal(set) var spuriousCount: UInt64 = 0
        /// Times that it was kept masked because it rang in vain too often.
        public internal(set) var stormCount: UInt64 = 0
        /// Turns that its handler had, and messages that it handled in them.
        public internal(set) var turnCount: UInt64 = 0
        public internal(set) var messageCount: UInt64 = 0
        /// Times that its `poll` closure saw work while the thread was spinning.
        public internal(set) var pollCount: UInt64 = 0
    }

    /// Counted for the thread since it was started.
    public struct Counters: Hashable, Sendable {
        /// Of all its ports together, also of those that were closed.
        public internal(set) var ports = PortCounters()
        /// Events of ports that the thread does not serve (any more).
        public internal(set) var staleCount: UInt64 = 0
        /// Times that the handle lost events, so that every port had to be looked at.
        public internal(set) var overflowCount: UInt64 = 0
        /// Jobs of actors and tasks that ran on the thread.
        public internal(set) var jobCount: UInt64 = 0
        /// Spins that found work, spins that did not, and sleeps.
        public internal(set) var spinCount: UInt64 = 0
        public internal(set) var vainSpinCount: UInt64 = 0
        public internal(set) var sleepCount: UInt64 = 0
        /// What being woken costs on this machine, as measured so far.
        public internal(set) var wakeCost: Duration = .zero
    }
}
