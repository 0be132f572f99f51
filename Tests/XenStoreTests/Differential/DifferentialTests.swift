import Testing
import XenTesting

/// Our server's core beside the C daemon, answer by answer and event by event.
@Suite(.serialized, .timeLimit(.minutes(3))) struct DifferentialTests {
    /// The last few were hard to explain.
    private static let seeds = Array(0..<UInt64(150)) + [325, 356, 542, 752]

    @Test func randomHistoriesGoAsWithXenstored() throws {
        let totals = DifferentialTotals()
        let history = DifferentialHistory.simulated(totals)
        do { try history.check(seeds: Self.seeds, replayLimit: 200) } catch {
            Issue.record("\(error)\n\(error.outcome.trace.joined(separator: "\n"))")
            return
        }
        #expect(totals.steps >= 10_000)
        // Each was met, so that none is kept in vain.
        for difference in StoreDifference.all {
            #expect(totals.differences[difference.reason] != nil, "\(difference.reason)")
        }
    }
}
