import Testing
import XenCore
import XenRing

/// What the inspector says of pages that our own ends made.
@Suite struct InspectionStageTests {
    typealias Front = FrontRing<Wide<14>, Wide<2>>
    typealias Back = BackRing<Wide<14>, Wide<2>>

    func report(_ memory: TestMemory) throws -> MessageRingReport {
        let inspection = try RingInspection(memory.bytes, kind: .block)
        #expect(inspection.findings.isEmpty, "\(inspection)")
        guard case .messages(let report) = inspection.content else { throw WrongContent() }
        return report
    }

    struct WrongContent: Error {}

    @Test func aFreshRingSleepsAtBothEnds() throws {
        let memory = TestMemory()
        _ = Front(initializing: memory.view)
        let fresh = try report(memory)
        #expect(fresh.slotCount == 32 && fresh.slotByteCount == 112)
        #expect(fresh.unansweredCount == 0 && fresh.freeSlotCount == 32...32)
        #expect(fresh.requests.wakeUp == .byNext && fresh.responses.wakeUp == .byNext)
        #expect(fresh.requests.nextSlot == 0 && fresh.requests.nextSlotOffset == 64)
    }

    @Test(arguments: [0, UInt32.max - 1])
    func theStagesOfThreeRequests(from start: UInt32) throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view, at: RingIndex(start))
        var back = Back(attachingTo: memory.view, at: RingIndex(start))
        for number: UInt64 in 1...3 { #expect(front.push(Wide(number)) == true) }
        _ = front.publish()
        let waiting = try report(memory)
        #expect(waiting.unansweredCount == 3 && waiting.requests.waitingLimit == 3)
        #expect(waiting.requests.wakeUp == .passed(by: 2))
        #expect(waiting.requests.nextSlot == Int((start &+ 3) % 32))
        #expect(waiting.responses.waitingLimit == 0 && waiting.freeSlotCount == 29...29)

        // The back took two and has not looked for more: the page cannot know.
        _ = try back.next()
        _ = try back.next()
        #expect(try report(memory) == waiting)

        _ = try back.next()
        _ = try back.next()
        let taken = try report(memory)
        #expect(taken.unansweredCount == 3 && taken.requests.waitingLimit == 0)
        #expect(taken.requests.wakeUp == .byNext)

        for number: UInt64 in 1...2 { back.push(Wide(number)) }
        _ = back.publish()
        let answered = try report(memory)
        #expect(answered.unansweredCount == 1 && answered.responses.waitingLimit == 2)
        #expect(answered.responses.wakeUp == .passed(by: 1))
        #expect(answered.freeSlotCount == 29...31)
        #expect(answered.responses.nextSlotOffset == 64 + Int((start &+ 2) % 32) * 112)

        try front.drain { _ in }
        let drained = try report(memory)
        #expect(drained.responses.waitingLimit == 0 && drained.freeSlotCount == 31...31)
        #expect(drained.responses.wakeUp == .byNext)
    }

    @Test func aFullRing() throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        while front.push(Wide(1)) {}
        _ = front.publish()
        let full = try report(memory)
        #expect(full.unansweredCount == 32 && full.freeSlotCount == 0...0)
        #expect(full.requests.waitingLimit == 32)
    }

    @Test(arguments: [(2, 64), (16, 512)])
    func severalPages(count: Int, slots: UInt32) throws {
        let memory = TestMemory(byteCount: count * Page.byteCount)
        _ = Front(initializing: memory.view)
        #expect(try report(memory).slotCount == slots)
    }

    /// Old network frontends ask to be notified when half of what they wait for has come.
    @Test func anEndMayAskForSeveralAtOnce() throws {
        let memory = TestMemory()
        _ = Front(initializing: memory.view)
        memory[0] = 10
        memory[12] = 6
        let batch = try report(memory)
        #expect(batch.responses.wakeUp == .after(6))
    }

    @Test(arguments: [
        (RingKind.block, 112, UInt32(32)), (.networkTransmit, 12, 256), (.networkReceive, 8, 256),
    ])
    func theNamedKinds(kind: RingKind, slotByteCount: Int, slotCount: UInt32) throws {
        let memory = TestMemory()
        _ = Front(initializing: memory.view)
        let inspection = try RingInspection(memory.bytes, kind: kind)
        guard case .messages(let report) = inspection.content else { throw WrongContent() }
        #expect(report.slotByteCount == slotByteCount && report.slotCount == slotCount)
        #expect(kind.slotByteCount == slotByteCount && inspection.findings.isEmpty)
    }

    @Test func theXenstoresPage() throws {
        let memory = TestMemory()
        memory.view.zero()
        var writer = ByteRing.Writer(.xenstore(.request, in: memory.view))
        var reader = ByteRing.Reader(.xenstore(.request, in: memory.view))
        let text = [UInt8](repeating: 1, count: 700)
        var taken: [UInt8] = []
        _ = try writer.write(text.span)
        _ = try reader.read(appendingTo: &taken, upTo: 600)
        _ = try writer.write(text.span)
        let inspection = try RingInspection(memory.bytes, kind: .xenstore)
        #expect(inspection.findings.isEmpty)
        guard case .bytes(let report) = inspection.content else { throw WrongContent() }
        #expect(report.lanes[0].waitingByteCount == 800 && report.lanes[0].freeByteCount == 224)
        #expect(report.lanes[0].nextWriteOffset == 1400 - 1024)
        #expect(report.lanes[0].nextReadOffset == 600)
        #expect(report.lanes[1].waitingByteCount == 0 && report.lanes[1].nextReadOffset == 1024)
        #expect(report.status?.connection == 0)
    }
}
