import Testing
import XenCore
import XenTesting

@testable import XenStoreClient

/// The client's core and the server's with a link between them that does everything a link can do.
@Suite(.timeLimit(.minutes(2))) struct FaultyLinkTests {
    static let history = SimulatedHistory("faulty link") { simulation in
        var history = FaultyHistory(simulation.choices) { simulation.note($0) }
        try history.play()
    }

    @Test(arguments: 0..<UInt64(8))
    func theClientIsNeverConfused(part: UInt64) throws {
        let begin = part * 100
        do { try Self.history.check(seeds: begin..<begin + 100) } catch {
            Issue.record("\(error)\n\(error.outcome.trace.joined(separator: "\n"))")
        }
    }

    @Test(arguments: FaultyHistory.Flaw.allCases)
    func aClientThatIsConfusedIsFound(flaw: FaultyHistory.Flaw) {
        let history = SimulatedHistory("faulty link, \(flaw)") { simulation in
            var history = FaultyHistory(simulation.choices, flaw: flaw) { simulation.note($0) }
            try history.play()
        }
        #expect(throws: FailedHistory.self) {
            try history.check(seeds: 0..<400, replayLimit: 0)
        }
    }

    @Test func everyFaultHappens() throws {
        var kinds: Set<String> = []
        for seed in 0..<UInt64(60) {
            kinds.formUnion(Self.history.run(seed: seed).taken.map(\.kind))
        }
        #expect(
            kinds.isSuperset(of: [
                "lost", "duplicated", "stale", "reordered", "silence", "delayed", "wrong id",
                "wrong type", "impossible length", "dribbled", "cut", "restart", "up", "partial",
                "cut in mid-message", "work", "delayed request", "late",
            ]))
    }
}
