import Testing
import XenRing

@Suite struct QueueChoiceTests {
    @Test func theLeastLoadedQueueTakesIt() {
        for loads in [[3, 1, 2], [1, 3, 2], [2, 3, 1]] {
            var choice = QueueChoice(queueCount: 3)
            for _ in 0..<3 { #expect(choice.leastLoaded { loads[$0] } == loads.firstIndex(of: 1)) }
        }
    }

    @Test func equalQueuesTakeTurns() {
        var choice = QueueChoice(queueCount: 4)
        #expect((0..<8).map { _ in choice.leastLoaded { _ in 0 } } == [0, 1, 2, 3, 0, 1, 2, 3])
    }

    @Test func fullQueuesTakeNone() {
        var choice = QueueChoice(queueCount: 3)
        #expect(choice.leastLoaded { $0 == 1 ? nil : 5 } == 0)
        #expect(choice.leastLoaded { $0 == 1 ? nil : 5 } == 2)
        #expect(choice.leastLoaded { _ in nil } == nil)
        #expect(choice.leastLoaded { $0 == 1 ? 99 : nil } == 1)
    }

    /// Every load of every queue, for as many requests: no queue ever has two more than another.
    @Test(arguments: 1...5)
    func loadsStayLevel(queueCount: Int) {
        var choice = QueueChoice(queueCount: queueCount)
        var loads = [Int](repeating: 0, count: queueCount)
        for _ in 0..<100 {
            guard let queue = choice.leastLoaded({ loads[$0] }) else { return }
            loads[queue] += 1
            #expect((loads.max() ?? 0) - (loads.min() ?? 0) <= 1)
        }
        #expect(loads.reduce(0, +) == 100)
    }

    /// These numbers stand for ever: another process, or another version, has to choose the same.
    @Test func aFlowHasItsQueue() {
        let choice = QueueChoice(queueCount: 4)
        #expect(
            (0..<16).map { choice.queue(forFlow: $0) }
                == [3, 2, 2, 0, 1, 1, 2, 1, 2, 2, 0, 1, 2, 3, 1, 2])
        #expect(QueueChoice(queueCount: 1).queue(forFlow: .max) == 0)
    }

    @Test(arguments: [2, 3, 4, 7, 16])
    func flowsSpreadEvenly(queueCount: Int) {
        let choice = QueueChoice(queueCount: queueCount)
        // Numbers in a row, and numbers that differ in their upper half only.
        for shift: UInt64 in [0, 32] {
            var counts = [Int](repeating: 0, count: queueCount)
            for flow: UInt64 in 0..<8000 { counts[choice.queue(forFlow: flow << shift)] += 1 }
            let even = 8000 / queueCount
            #expect(counts.allSatisfy { abs($0 - even) < even / 5 }, "\(counts)")
        }
    }
}
