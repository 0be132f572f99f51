import Testing
import XenTesting

/// Our server's core beside the C daemon, answer by answer and event by event.
@Suite(.serialized, .timeLimit(.minutes(3))) struct DifferentialTests {
    private static let seeds: Range<UInt64> = 0..<150

    @Test func randomHistoriesGoAsWithXenstored() throws {
        let totals = DifferentialTotals()
        let history = DifferentialHistory.simulated(totals)
        for seed in Self.seeds {
            guard let failure = history.run(seed: seed).failure else { continue }
            let shrunk = history.shrunk(seed: seed, replayLimit: 200)
            let trace = shrunk.outcome.trace.joined(separator: "\n")
            Issue.record("\(failure)\n\(shrunk)\n\(trace)")
            return
        }
        #expect(totals.steps >= 10_000)
        // Each was met, so that none is kept in vain.
        for difference in StoreDifference.all {
            #expect(totals.differences[difference.reason] != nil, "\(difference.reason)")
        }
    }
}
