/// How long an event thread looks for work before it sleeps. A value: outcomes and durations in, a budget out.
///
/// A sleep costs what it takes to be woken from it. Looking around for that long is a fair price if work
/// turns up meanwhile, and a waste if not. So the policy keeps an account: a spin that found work brings in
/// the part of the sleep's cost that it saved, a spin in vain is paid from the account, every sleep adds a
/// sixteenth of its cost, and what the account does not hold is not spun. Hence, whatever the peers do:
///
///     time spun in vain <= cost of the sleeps saved + 1/16 of the cost of the sleeps taken + one cost
///
/// On one processor it never spins: the peer cannot write while we look. Nothing here allocates.
package struct SpinPolicy: Hashable, Sendable {
    /// The longest spin, whatever a sleep costs, in nanoseconds. Zero: it never spins.
    private let longest: Int64

    private var canSpin: Bool

    /// What a sleep is believed to cost, in nanoseconds: a running estimate.
    private var cost: Int64

    /// What may be spun in vain, in nanoseconds. Never negative.
    private var account: Int64

    /// A sleep adds this part of its cost.
    private static var share: Int64 { 16 }

    /// A few good guesses are remembered, so that a burst of vain spins soon ends.
    private static var fullAccounts: Int64 { 4 }

    /// Below half a sleep's cost a spin finds too little: the account is saved up instead.
    private static var leastPart: Int64 { 2 }

    /// - Parameters:
    ///   - processorCount: the processors that this thread may run on.
    ///   - longest: the longest spin.
    ///   - wakeCost: what a sleep costs, as long as none was measured.
    package init(processorCount: Int, longest: Duration, wakeCost: Duration = .microseconds(20)) {
        self.longest = max(0, longest.nanoseconds)
        canSpin = processorCount > 1
        cost = Self.believable(wakeCost.nanoseconds)
        account = cost
    }

    /// How long to spin now: zero, or at most what a sleep costs.
    package var budget: Duration {
        guard canSpin, account >= cost / Self.leastPart else { return .zero }
        return .nanoseconds(min(account, cost, longest))
    }

    /// What a sleep is believed to cost.
    package var wakeCost: Duration { .nanoseconds(cost) }

    /// A spin has ended, after this long.
    package mutating func spun(for duration: Duration, foundWork: Bool) {
        let spent = max(0, duration.nanoseconds)
        settle(foundWork ? account + max(0, cost - spent) : account - spent)
    }

    /// The thread has slept.
    package mutating func slept() { settle(account + cost / Self.share) }

    /// The thread was woken, and ran this long after its waker had called.
    package mutating func woke(after duration: Duration) {
        let measured = Self.believable(duration.nanoseconds)
        // Down at once, up slowly: one slow wake on a busy machine must not make every spin long.
        cost = measured < cost ? measured : cost + (measured - cost) / 8
        settle(account)
    }

    /// The thread may now run on this many processors.
    package mutating func processors(_ count: Int) { canSpin = count > 1 }

    private mutating func settle(_ sum: Int64) {
        account = min(max(0, sum), Self.fullAccounts * cost)
    }

    /// Between a microsecond, cheaper than any wake, and a tenth of a second, when the machine was busy elsewhere.
    private static func believable(_ nanoseconds: Int64) -> Int64 {
        min(max(nanoseconds, 1_000), 100_000_000)
    }
}

extension Duration {
    /// Whole nanoseconds, as far as 64 bits go: three hundred years.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        guard abs(seconds) < 9_000_000_000 else { return seconds < 0 ? .min : .max }
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
