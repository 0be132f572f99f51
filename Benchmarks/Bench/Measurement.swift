import CAllocationCount

/// What a contest gave.
struct Measurement {
    /// Medians, in nanoseconds a request.
    let ours: Double
    let peer: Double?
    /// Ours over the peer's, round by round, sorted.
    let ratios: [Double]
    /// By our side, in this thread.
    let allocationsPerRequest: Double?

    var ratio: Double? { median(ratios) }
}

struct WrongSum: Error, CustomStringConvertible {
    let description: String
}

extension Contest {
    /// Runs both in turn, each first in every other round.
    func measure(_ effort: Effort) throws -> Measurement {
        let count = try requestCount(for: effort.roundDuration)
        var (oursRuns, peerRuns): ([Run], [Run]) = ([], [])
        for round in 0..<effort.rounds {
            if round % 2 == 0 { oursRuns.append(try run(ours, count)) }
            if let peer { peerRuns.append(try run(peer, count)) }
            if round % 2 == 1 { oursRuns.append(try run(ours, count)) }
        }
        try compareSums(oursRuns + peerRuns)
        return Measurement(
            ours: median(oursRuns.map(\.nanoseconds)) ?? 0,
            peer: median(peerRuns.map(\.nanoseconds)),
            ratios: zip(oursRuns, peerRuns).map { $0.nanoseconds / $1.nanoseconds }.sorted(),
            allocationsPerRequest: allocation_count_works() == 1
                ? median(oursRuns.map { Double($0.allocationCount) / Double(count) }) : nil)
    }

    private struct Run {
        /// A request.
        let nanoseconds: Double
        /// In this thread.
        let allocationCount: UInt64
        let sum: UInt64
    }

    private func run(_ carrier: Carrier, _ count: UInt64) throws -> Run {
        let allocations = allocation_count_of_this_thread()
        let clock = ContinuousClock()
        let start = clock.now
        let sum = try carrier(count)
        let nanoseconds = start.duration(to: clock.now) / .nanoseconds(1) / Double(count)
        return Run(
            nanoseconds: nanoseconds,
            allocationCount: allocation_count_of_this_thread() - allocations, sum: sum)
    }

    /// As many requests as ours carries in about this time. It is a warm-up as well.
    private func requestCount(for duration: Duration) throws -> UInt64 {
        var count: UInt64 = 1024
        while try run(ours, count).nanoseconds * Double(count) < duration / .nanoseconds(1) / 2 {
            count *= 2
        }
        return count
    }

    /// All read the same, or one of them did not do the work.
    private func compareSums(_ runs: [Run]) throws {
        guard let first = runs.first else { return }
        for run in runs where run.sum != first.sum {
            throw WrongSum(
                description: "\(name), \(caseName): one run read \(first.sum), another \(run.sum)")
        }
    }
}

func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
