import Synchronization
import Testing
import XenTesting

/// The simulator itself, on parties of a few lines.
@Suite struct SimulatorTests {
    @Test func aDecisionDependsOnTheSeedItsKindAndItsNumberAlone() {
        func decisions(seed: UInt64, between other: String?) -> [Bool] {
            let choices = HistoryChoices(seed: seed)
            return (0..<64).map { _ in
                if let other { _ = choices.happens(other, 0.5) }
                return choices.happens("lost", 0.5)
            }
        }
        let first = decisions(seed: 1, between: nil)
        #expect(decisions(seed: 1, between: "delayed") == first)
        #expect(decisions(seed: 2, between: nil) != first)
        #expect((16...48).contains(first.count { $0 }))
    }

    @Test func onlyWhatIsListedHappens() throws {
        let choice = try #require(HistoryChoice("lost.2"))
        let choices = HistoryChoices(seed: 1, only: [choice])
        #expect((0..<4).map { _ in choices.happens("lost", 1) } == [false, false, true, false])
        #expect(choices.taken == [choice])
        #expect("\(choice)" == "lost.2")
        for text in ["", "lost", "lost.", ".3", "lost.-1", "lost.x"] {
            #expect(HistoryChoice(text) == nil, "\(text)")
        }
    }

    @Test func numbersStayInTheirRange() {
        let choices = HistoryChoices(seed: 3)
        let numbers = (0..<1000).map { _ in choices.number("n", in: -2..<3) }
        #expect(Set(numbers) == [-2, -1, 0, 1, 2])
        #expect(!choices.happens("never", 0))
        #expect(choices.happens("always", 1))
    }

    @Test func partiesStepWhenTheyAreDueOrRung() throws {
        let simulation = Simulation(choices: HistoryChoices(seed: 1), isTraced: true)
        var (slowCount, rungCount) = (0, 0)
        simulation.add("slow") { now in
            slowCount += 1
            return slowCount == 3 ? nil : now + .seconds(10)
        }
        simulation.add("rung", isRung: { rungCount < slowCount }) { now in
            rungCount += 1
            return now + .seconds(1000)
        }
        try simulation.run(until: { slowCount == 3 && rungCount >= 3 }, within: .seconds(30), "")
        #expect(simulation.elapsed >= .seconds(20))
        #expect(simulation.elapsed < .seconds(21))
        #expect(simulation.trace?.count == simulation.stepCount)
    }

    /// As where a real program takes part: what was found first is told, though it cannot be found again.
    @Test func aFailureThatDoesNotComeAgainIsTold() throws {
        let playCount = Mutex(0)
        let history = SimulatedHistory("once") { simulation in
            if simulation.choices.happens("fault", 1),
                playCount.withLock({
                    $0 += 1; return $0
                }) == 1
            {
                throw SimulationFailure("it goes well", "it did not")
            }
        }
        let failure = try #require(throws: FailedHistory.self) { try history.check(seeds: [7]) }
        #expect(failure.outcome.failure?.promise == "it goes well")
        #expect(failure.only.map { "\($0)" } == ["fault.0"])
        // Nor is what does not fail at all shrunk to nothing.
        #expect(history.shrunk(seed: 7).only.map { "\($0)" } == ["fault.0"])
    }

    @Test func whatDoesNotEndIsAFailure() {
        let simulation = Simulation(choices: HistoryChoices(seed: 1))
        var failure = #expect(throws: SimulationFailure.self) {
            try simulation.run(until: { false }, within: .seconds(1), "it ends")
        }
        #expect(failure?.promise == "it ends")
        #expect(failure?.message == "and nobody has anything left to do")
        simulation.add("busy") { $0 }
        failure = #expect(throws: SimulationFailure.self) {
            try simulation.run(until: { false }, within: .milliseconds(1), "it ends")
        }
        #expect(failure?.message.contains("virtual time") == true)
        simulation.stepLimit = simulation.stepCount + 10
        failure = #expect(throws: SimulationFailure.self) {
            try simulation.run(until: { false }, within: .seconds(3600), "it ends")
        }
        #expect(failure?.message.contains("steps") == true)
    }

    @Test func aLedgerSeesWhatEndsTwiceOrNever() throws {
        let ledger = RequestLedger()
        let (first, second) = (ledger.begin(), ledger.begin())
        try ledger.end(first, .answered)
        #expect(throws: SimulationFailure.self) { try ledger.end(first, .failed) }
        #expect(throws: SimulationFailure.self) { try ledger.end(2, .failed) }
        #expect(throws: SimulationFailure.self) { try ledger.expectAllEnded() }
        try ledger.end(second, .inDoubt)
        try ledger.expectAllEnded()
        #expect((ledger.count(of: .answered), ledger.count(of: .inDoubt)) == (1, 1))
    }

    /// Fails when the third fault comes after the second message.
    static let fragile = SimulatedHistory("fragile") { simulation in
        var (faults, messages) = (Set<Int>(), 0)
        for number in 0..<50 {
            if simulation.choices.happens("message", 0.8) { messages += 1 }
            if simulation.choices.happens("fault", 0.4) { faults.insert(number) }
            if messages >= 2, faults.count >= 3 {
                throw SimulationFailure("it holds", "broke at \(number)")
            }
        }
    }

    @Test func aFailureIsShrunkToWhatItNeeds() throws {
        let failed = try #require(throws: FailedHistory.self) {
            try Self.fragile.check(seeds: 0..<100)
        }
        #expect(failed.only.count { $0.kind == "message" } == 2)
        #expect(failed.only.count { $0.kind == "fault" } == 3)
        #expect(failed.only.count == 5)
        #expect(failed.takenCount > 5)
        let again = Self.fragile.run(seed: failed.seed, only: Set(failed.only))
        #expect(again.failure == failed.outcome.failure)
        #expect("\(failed)".contains("seed \(failed.seed)"))
    }
}
