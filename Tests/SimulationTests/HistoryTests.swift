import Histories
import Testing
import XenTesting

/// A few of the histories that `make sim` plays by the thousand, and that what is promised of them is checked.
@Suite(.timeLimit(.minutes(2))) struct HistoryTests {
    @Test(arguments: Histories.all)
    func everyPromiseIsKept(history: SimulatedHistory) throws {
        try history.check(seeds: 0..<30)
    }

    @Test(arguments: Histories.all)
    func aSeedIsOneHistory(history: SimulatedHistory) {
        for seed: UInt64 in 0..<5 {
            let first = history.run(seed: seed, isTraced: true)
            let again = history.run(seed: seed, isTraced: true)
            let isSame = first.trace == again.trace
            #expect(isSame, "seed \(seed)")
            #expect(first.trace.count > 30)
        }
    }

    @Test(arguments: RingFront.Flaw.allCases)
    func aForgetfulFrontIsFound(flaw: RingFront.Flaw) {
        expectFailure(of: .ring(frontFlaw: flaw))
    }

    @Test(arguments: RingBack.Flaw.allCases)
    func aForgetfulBackIsFound(flaw: RingBack.Flaw) {
        expectFailure(of: .ring(backFlaw: flaw))
    }

    @Test(arguments: ScheduledBack.Flaw.allCases)
    func aForgetfulSchedulersUserIsFound(flaw: ScheduledBack.Flaw) {
        expectFailure(of: .scheduler(flaw: flaw))
    }

    @Test(arguments: BlockStage.Flaw.allCases)
    func aForgetfulBlockDeviceIsFound(flaw: BlockStage.Flaw) {
        expectFailure(of: .block(flaw: flaw))
    }

    @Test(arguments: ModelFlaw.allCases)
    func aStoreThatDiffersFromItsModelIsFound(flaw: ModelFlaw) {
        expectFailure(of: .store(flaw: flaw))
    }

    /// Within few seeds a history has to fail, and fail again in the same way when it is played from what is left.
    private func expectFailure(of history: SimulatedHistory) {
        let failed = #expect(throws: FailedHistory.self) {
            try history.check(seeds: 0..<200, replayLimit: 40)
        }
        guard let failed else { return }
        let again = history.run(seed: failed.seed, only: Set(failed.only), isTraced: true)
        #expect(again.failure == failed.outcome.failure)
        let isSame = again.trace == failed.outcome.trace
        #expect(isSame)
        #expect(failed.only.count <= failed.takenCount)
    }
}
