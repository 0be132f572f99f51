import Testing
import XenCore
import XenRing

/// What both ends of a ring say of themselves.
@Suite struct StatisticsTests {
    typealias Front = FrontRing<Wide<14>, Wide<2>>
    typealias Back = BackRing<Wide<14>, Wide<2>>

    @Test func nothingHasHappenedYet() {
        let memory = TestMemory()
        let front = Front(initializing: memory.view)
        let back = Back(attachingTo: memory.view)
        for statistics in [front.statistics, back.statistics] {
            #expect(statistics.requestCount == 0 && statistics.responseCount == 0)
            #expect(statistics.publishCount == 0 && statistics.finalCheckCount == 0)
        }
    }

    @Test func eachStepIsCounted() throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        for number: UInt64 in 1...5 { #expect(front.push(Wide(number)) == true) }
        #expect(front.statistics.requestCount == 0, "staged, not published")
        #expect(front.publish() == .required)
        #expect(front.push(Wide(6)) == true)
        #expect(front.publish() == .notNeeded)
        #expect(front.publish() == .notNeeded, "nothing to publish, which counts for nothing")
        #expect(front.statistics.requestCount == 6 && front.statistics.publishCount == 2)
        #expect(front.statistics.notificationCount == 1)
        #expect(front.statistics.sparedNotificationCount == 1)

        #expect(try back.drain { _ in } == 6)
        #expect(back.statistics.requestCount == 6 && back.statistics.finalCheckCount == 1)
        for number: UInt64 in 1...4 { back.push(Wide(number)) }
        #expect(back.statistics.responseCount == 0)
        #expect(back.publish() == .required)
        #expect(back.statistics.responseCount == 4 && back.statistics.requestCount == 6)
        #expect(try front.next() != nil)
        #expect(front.statistics.responseCount == 1)
        #expect(try front.discardResponses() == 3)
        #expect(front.statistics.responseCount == 4 && front.statistics.finalCheckCount == 1)
        #expect(try front.next() == nil)
        #expect(front.statistics.finalCheckCount == 1, "asked for already")
    }

    /// The indices have 32 bits, the counts have more.
    @Test func countsGoOnWhereIndicesWrap() throws {
        let memory = TestMemory()
        let start = RingIndex(UInt32.max - 40)
        var front = Front(initializing: memory.view, at: start)
        var back = Back(attachingTo: memory.view, at: start)
        for number: UInt64 in 0..<100 {
            #expect(front.push(Wide(number)) == true)
            _ = front.publish()
            _ = try back.serve { Wide($0.value) }
            if number % 8 == 7 { try front.drain { _ in } }
            #expect(front.statistics.requestCount == number + 1)
            #expect(front.statistics.responseCount == (number + 1) / 8 * 8)
            #expect(back.statistics.requestCount == number + 1)
            #expect(back.statistics.responseCount == number + 1)
        }
        #expect(front.statistics.notificationCount == 100, "the back sleeps after each")
        #expect(back.statistics.notificationCount == 13 && back.statistics.publishCount == 100)
    }

    /// Beside a model that looks after each message, not once a publish.
    @Test func eachEndKnowsTheMostInFlight() throws {
        var random = SplitMix(seed: 7)
        for _ in 0..<50 {
            let memory = TestMemory()
            var front = Front(initializing: memory.view)
            var back = Back(attachingTo: memory.view)
            var most = (front: 0, back: 0)
            for step in 0..<200 {
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1: _ = front.push(Wide(UInt64(step)))
                case 2: _ = front.publish()
                case 3: _ = try back.next()
                case 4: if back.unansweredCount > 0 { back.push(Wide(1)) }
                default:
                    _ = back.publish()
                    _ = try front.next()
                }
                let (sent, taken) = (front.statistics, back.statistics)
                most.front = max(most.front, Int(sent.requestCount - sent.responseCount))
                most.back = max(most.back, Int(taken.requestCount - taken.responseCount))
                #expect(sent.highWaterMark == most.front && taken.highWaterMark == most.back)
            }
            #expect(most.front > 1 && most.back > 1)
        }
    }

    @Test func theTableKnowsTheMostInFlight() throws {
        var table = RequestTable<Wide<1>, Int, UInt64>(capacity: 8, epoch: Epoch(rawValue: 1))
        var ids: [UInt64] = []
        for number in 0..<5 {
            ids.append(try #require(table.issue(number) { id, _ in Wide(id) }).value)
        }
        #expect(table.abandon(ids[0]) == 0)
        for id in ids { _ = table.match(id) }
        #expect(table.waitingCount == 0 && table.highWaterMark == 5)
    }
}
