import Testing
import XenCore
import XenRing

@Suite struct RingTests {
    typealias Front = FrontRing<Wide<14>, Wide<2>>
    typealias Back = BackRing<Wide<14>, Wide<2>>

    @Test func aFreshRingHasXensLayout() {
        let memory = TestMemory()
        let front = Front(initializing: memory.view)
        #expect(front.capacity == 32)
        #expect([0, 4, 8, 12].map { memory[$0] } == [0, 1, 0, 1])
        #expect(memory.bytes[16...].allSatisfy { $0 == 0 })
    }

    @Test func aRequestGoesThereAndItsResponseComesBack() throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)

        #expect(front.push(Wide(70)) == true)
        #expect(front.publish() == .required)
        let request = try #require(try back.next())
        #expect(request.value == 70 && request.isWhole)
        back.push(Wide(71))
        #expect(back.publish() == .required)
        #expect(try front.next()?.value == 71)
        #expect(try front.next() == nil)
        #expect(try back.next() == nil)
    }

    @Test func aFullRingTakesNoMore() throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        for number in 0..<32 {
            #expect(front.freeSlotCount == 32 - number)
            #expect(front.push(Wide(UInt64(number))) == true)
        }
        #expect(front.push(Wide(99)) == false)
        #expect(front.inFlightCount == 0)
        #expect(front.publish() == .required)
        #expect(front.inFlightCount == 32)

        #expect(try back.serve { Wide($0.value * 2) } == .required)
        var answers: [UInt64] = []
        #expect(try front.drain { answers.append($0.value) } == 32)
        #expect(answers == (0..<32).map { $0 * 2 })
        #expect(front.freeSlotCount == 32)
    }

    @Test func aBackMayHoldRequestsAndAnswerLater() throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        for number: UInt64 in 1...3 { #expect(front.push(Wide(number)) == true) }
        #expect(front.publish() == .required)

        var held: [UInt64] = []
        #expect(try back.drain { held.append($0.value) } == 3)
        #expect(back.unansweredCount == 3)
        back.push(Wide(held[2]))
        #expect(back.publish() == .required)
        #expect(try front.next()?.value == 3)
        back.push(Wide(held[0]))
        back.push(Wide(held[1]))
        #expect(back.publish() == .notNeeded, "the front has not slept since")
        var answers: [UInt64] = []
        try front.drain { answers.append($0.value) }
        #expect(answers == [1, 2])
        #expect(front.inFlightCount == 0 && back.unansweredCount == 0)
    }

    @Test func theNotificationComesOnlyWhenThePeerAskedForIt() throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        #expect(front.publish() == .notNeeded, "nothing was staged")
        #expect(front.push(Wide(1)) == true)
        #expect(front.publish() == .required)
        #expect(front.push(Wide(2)) == true)
        #expect(front.publish() == .notNeeded, "the back was notified and has not slept since")
        try back.drain { _ in }
        #expect(front.push(Wide(3)) == true)
        #expect(front.publish() == .required)
    }

    @Test func responsesAfterTheEndAreCountedAndDropped() throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        for number: UInt64 in 1...5 { #expect(front.push(Wide(number)) == true) }
        #expect(front.publish() == .required)
        #expect(try back.serve { Wide($0.value) } == .required)
        #expect(try front.next()?.value == 1)
        #expect(try front.discardResponses() == 4)
        #expect(try front.discardResponses() == 0)
        #expect(front.inFlightCount == 0)
    }

    @Test func aBackTakesOverWhatAnotherLeftUnanswered() throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var old = Back(attachingTo: memory.view)
        for number: UInt64 in 1...3 { #expect(front.push(Wide(number)) == true) }
        #expect(front.publish() == .required)
        old.push(Wide(try #require(try old.next()).value))
        #expect(old.publish() == .required)
        _ = try old.next()

        var new = try Back(takingOver: memory.view)
        var taken: [UInt64] = []
        try new.drain { taken.append($0.value) }
        #expect(taken == [2, 3])

        memory[8] = memory[0] &+ 1
        #expect(throws: RingError.self) { _ = try Back(takingOver: memory.view) }
    }

    /// Looking asks for no notification; nil still means that one was asked for.
    @Test func anEndMayLookSeveralTimesBeforeItAsks() throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        #expect(front.push(Wide(1)) == true)
        #expect(front.publish() == .required)
        #expect(try back.next(looking: 3)?.value == 1)
        back.push(Wide(2))
        #expect(back.publish() == .required)
        #expect(try front.next(looking: 3)?.value == 2)

        #expect(front.push(Wide(3)) == true)
        #expect(front.publish() == .notNeeded, "the back took the first and asked for nothing")
        #expect(try back.next(looking: 0)?.value == 3)
        #expect(try back.next(looking: 3) == nil)
        #expect(front.push(Wide(5)) == true)
        #expect(front.publish() == .required)
    }
}
