import Testing
import XenTesting

/// Our server's core beside the C daemon, answer by answer and event by event.
@Suite(.serialized, .timeLimit(.minutes(3))) struct DifferentialTests {
    private static let seeds: Range<UInt64> = 0..<150

    @Test func randomHistoriesGoAsWithXenstored() throws {
        let totals = DifferentialTotals()
        let history = DifferentialHistory.simulated(totals)
        var vanished: [SimulationFailure] = []
        for seed in Self.seeds {
            guard let first = history.run(seed: seed).failure else { continue }
            // Answers depend on the seed alone; that a daemon answers within its deadline, on the machine, too.
            guard let failure = history.run(seed: seed).failure else {
                vanished.append(first)
                continue
            }
            let shrunk = history.shrunk(seed: seed, replayLimit: 200)
            let trace = shrunk.outcome.trace.joined(separator: "\n")
            Issue.record("\(failure)\n\(shrunk)\n\(trace)")
            return
        }
        #expect(vanished.count <= 3, "they failed once, and not again: \(vanished)")
        #expect(totals.steps >= 10_000)
        // Each was met, so that none is kept in vain.
        for difference in StoreDifference.all {
            #expect(totals.differences[difference.reason] != nil, "\(difference.reason)")
        }
    }
}
