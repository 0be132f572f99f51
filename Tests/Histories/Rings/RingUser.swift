import XenCore
import XenTesting

/// Who makes a front's requests: over all lives of the front, one after another, and checks the answers.
final class RingUser {
    private let simulation: Simulation
    private let ledger: RequestLedger
    private var left: Int
    private var due: ContinuousClock.Instant
    /// Offers that a hostile back has mapped: anything may come out of them.
    private var tainted: [Meeting.Offer] = []

    private(set) var staleCount = 0

    init(_ simulation: Simulation, _ ledger: RequestLedger, requestCount: Int) {
        self.simulation = simulation
        self.ledger = ledger
        left = requestCount
        due = simulation.now
    }

    /// When it has its next request; nil after the last.
    var nextDue: ContinuousClock.Instant? { left > 0 ? due : nil }

    /// The next request's number, if it is time for one.
    func next() -> Int? {
        while left > 0, simulation.now >= due {
            left -= 1
            // In bursts, so that rings fill.
            let pause = max(0, simulation.choices.number("pause", in: -80..<40))
            due = simulation.now + .milliseconds(pause)
            if simulation.choices.happens("request", 1) { return ledger.begin() }
        }
        return nil
    }

    /// Requests that it gives up.
    func cancelled(of unanswered: [Int]) throws -> [Int] {
        try unanswered.filter { number in
            guard simulation.choices.happens("cancel", 0.002) else { return false }
            try ledger.end(number, .inDoubt)
            return true
        }
    }

    func answer(_ number: Int, _ response: SquareResponse, of offer: Meeting.Offer) throws {
        let isRight =
            response.square == UInt64(number * number)
            && response.epoch == offer.epoch.rawValue
        guard isRight || tainted.contains(offer) else {
            throw SimulationFailure(
                "nothing of an older epoch is delivered",
                "request \(number) got \(response.square) of epoch \(response.epoch) "
                    + "in \(offer.epoch)")
        }
        simulation.note("request \(number) answered by life \(response.life)")
        try ledger.end(number, .answered)
    }

    func fail(_ number: Int) throws { try ledger.end(number, .failed) }

    /// The front has died with these.
    func abandon(_ numbers: [Int]) throws {
        for number in numbers { try ledger.end(number, .inDoubt) }
    }

    func countStale() { staleCount += 1 }

    func taint(_ offer: Meeting.Offer) { tainted.append(offer) }
}
