import CAllocationCount

/// The runs of all contenders of one contest.
struct Measurement {
    /// Ours, then the peers, in the contest's order.
    let series: [Series]
    /// By our side, in this thread; nil where calls of malloc cannot be counted.
    let allocationsPerItem: Double?
    /// What other programs took of the processors meanwhile.
    let otherLoad: Double?
}

/// One contender's runs, round by round.
struct Series {
    /// Nanoseconds, or whatever is counted, for one item.
    let values: [Double]

    /// Ours over a peer's, round by round. Nothing costs the same as nothing.
    func ratios(over peer: Series) -> [Double] {
        zip(values, peer.values).map { $0 == $1 ? 1 : $0 / $1 }.sorted()
    }
}

struct WrongSum: Error, CustomStringConvertible {
    let description: String
}

extension Contest {
    /// Lets all contenders run in turn, in reverse order in every other round.
    func measure(_ effort: Effort) throws -> Measurement {
        let contenders = [ours] + peers
        let load = OtherLoad()
        try compareSums(contenders)
        let (rounds, counts) = try plan(contenders, effort)
        var runs = contenders.map { _ in [Run]() }
        for round in 0..<rounds {
            let order = Array(contenders.indices)
            for index in round.isMultiple(of: 2) ? order : order.reversed() {
                runs[index].append(try run(contenders[index], counts[index]))
            }
        }
        for (contender, runs) in zip(contenders, runs) { try compareSums(runs, contender) }
        return Measurement(
            series: runs.map { Series(values: $0.map(\.value)) },
            allocationsPerItem: allocation_count_works() == 1
                ? median(runs[0].map { Double($0.allocationCount) / Double(counts[0]) }) : nil,
            otherLoad: load.processorsTaken())
    }

    private struct Run {
        /// For one item.
        let value: Double
        let allocationCount: UInt64
        let sum: UInt64
    }

    private func run(_ contender: Contender, _ count: UInt64) throws -> Run {
        let allocations = allocation_count_of_this_thread()
        let clock = ContinuousClock()
        let start = clock.now
        let outcome = try contender.carry(count)
        let elapsed = start.duration(to: clock.now) / .nanoseconds(1)
        return Run(
            value: (outcome.amount ?? elapsed) / Double(count),
            allocationCount: allocation_count_of_this_thread() - allocations, sum: outcome.sum)
    }

    /// How many rounds there are, and how often each contender does its work in one.
    private func plan(
        _ contenders: [Contender], _ effort: Effort
    ) throws -> (rounds: Int, counts: [UInt64]) {
        switch measure {
        case .count(_, _, let count): (3, contenders.map { _ in count })
        case .figure(_, let count): (5, contenders.map { _ in count })
        case .time:
            (
                effort.rounds,
                try contenders.map { try workCount(of: $0, for: effort.roundDuration * share) }
            )
        }
    }

    /// As often as this contender does its work in about this time. It is a warm-up as well.
    private func workCount(of contender: Contender, for duration: Duration) throws -> UInt64 {
        var count = leastCount
        while try run(contender, count).value * Double(count) < duration / .nanoseconds(1) / 2 {
            count *= 2
        }
        return count
    }

    /// Whoever does the same work has read the same, or somebody did not do it.
    private func compareSums(_ contenders: [Contender]) throws {
        let ours = try run(ours, leastCount)
        for peer in contenders.dropFirst() where peer.doesSameWork {
            try compareSums([ours, try run(peer, leastCount)], peer)
        }
    }

    private func compareSums(_ runs: [Run], _ contender: Contender) throws {
        for run in runs where run.sum != runs[0].sum {
            throw WrongSum(
                description: "\(name), \(contender.name): "
                    + "a run read \(run.sum) where another read \(runs[0].sum)")
        }
    }
}

func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
