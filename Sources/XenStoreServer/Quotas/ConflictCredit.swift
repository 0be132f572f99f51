import XenCore

/// How often a domain may still make others' transactions fail before it waits: full at first, one less for each
/// conflict, one more with time. (XSA-206, as oxenstored bounds it.)
struct ConflictCredit: Hashable, Sendable {
    static let burst = 5
    static let refillInterval = Duration.milliseconds(50)

    private var credit = burst
    /// Since when the next one is on its way.
    private var since: Deadline?

    /// Takes one away.
    mutating func charge(at now: Deadline) {
        settle(now)
        if credit == Self.burst { since = now }
        credit = max(credit - 1, 0)
    }

    /// Whether the domain's requests may be served.
    func mayServe(at now: Deadline) -> Bool { amount(at: now) > 0 }

    /// When a domain that had none at its last charge has some again.
    var wake: Deadline? { credit == 0 ? since.map { $0 + Self.refillInterval } : nil }

    private func amount(at now: Deadline) -> Int { min(credit + refills(at: now), Self.burst) }

    private func refills(at now: Deadline) -> Int {
        guard let since, since < now else { return 0 }
        let elapsed = now.sinceEpoch - since.sinceEpoch
        return elapsed >= Self.refillInterval * Self.burst
            ? Self.burst : Int(elapsed / Self.refillInterval)
    }

    private mutating func settle(_ now: Deadline) {
        let gained = refills(at: now)
        guard gained > 0, let since else { return }
        credit = min(credit + gained, Self.burst)
        self.since = credit == Self.burst ? nil : since + Self.refillInterval * gained
    }
}
