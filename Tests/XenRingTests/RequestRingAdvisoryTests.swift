import CAllocationCount
import Testing
import XenCore
import XenRing

/// Security advisories about rings and their peers, held against request/response rings.
@Suite("Advisories, request/response rings")
struct RequestRingAdvisoryTests {
    typealias Front = FrontRing<Wide<14>, Wide<2>>
    typealias Back = BackRing<Wide<14>, Wide<2>>

    @Test("XSA-155: what was taken stays as it was, whatever becomes of its slot")
    func takenOnce() throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        #expect(front.push(Wide(7)) == true)
        _ = front.publish()
        let request = try #require(try back.next())
        for word in 0..<28 { memory[64 + word * 4] = 0xDEAD_BEEF }
        #expect(request.isWhole && request.value == 7)
        back.push(Wide(8))
        _ = back.publish()
        let response = try #require(try front.next())
        for word in 0..<28 { memory[64 + word * 4] = 0xDEAD_BEEF }
        #expect(response.isWhole && response.value == 8)
    }

    @Test("XSA-38, XSA-86: an index beyond the ring is an error, for every size of ring")
    func impossibleIndices() throws {
        for slotCount in [1, 2, 4, 8] {
            for start: UInt32 in [0, .max - 2, 1 << 31] {
                let claims = (0...20).map { start &+ $0 } + (1...20).map { start &- $0 }
                for claim in claims {
                    try checkBack(slotCount, start, claim)
                    try checkFront(slotCount, start, claim)
                }
            }
        }
    }

    private func checkBack(_ slotCount: Int, _ start: UInt32, _ claim: UInt32) throws {
        let memory = TestMemory()
        let view = memory.view.slice(offset: 0, byteCount: 64 + 112 * slotCount)
        _ = Front(initializing: view, at: RingIndex(start))
        var back = Back(attachingTo: view, at: RingIndex(start))
        memory[0] = claim
        let isPossible = claim &- start <= UInt32(slotCount)
        do {
            #expect(try back.drain { _ in } == Int(claim &- start))
            #expect(isPossible)
        } catch {
            #expect(!isPossible && error.code == .impossibleIndex)
            #expect(error.producer == RingIndex(claim) && error.limit == slotCount)
        }
    }

    private func checkFront(_ slotCount: Int, _ start: UInt32, _ claim: UInt32) throws {
        let memory = TestMemory()
        let view = memory.view.slice(offset: 0, byteCount: 64 + 112 * slotCount)
        var front = Front(initializing: view, at: RingIndex(start))
        #expect(front.push(Wide(1)) == true)
        _ = front.publish()
        memory[8] = claim
        do {
            #expect(try front.drain { _ in } == Int(claim &- start))
            #expect(claim &- start <= 1)
        } catch {
            #expect(claim &- start > 1 && error.code == .impossibleIndex)
            #expect(error.producer == RingIndex(claim) && error.limit == 1)
        }
    }

    @Test("XSA-392, XSA-424: a back that never answers costs a ringful, and gives it back in order")
    func silentBack() throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var table = RequestTable<Wide<14>, Int, UInt64>(
            capacity: front.capacity, epoch: Epoch(rawValue: 1))
        var refusedCount = 0
        var allocations = allocation_count_of_this_thread()
        for number in 0..<10_000 {
            if number == 100 { allocations = allocation_count_of_this_thread() }
            if let request = table.issue(number, { id, _ in Wide(id) }) {
                let wasPushed = front.push(request)
                precondition(wasPushed)
                _ = front.publish()
            } else {
                refusedCount += 1
            }
        }
        let later = allocation_count_of_this_thread()
        if allocation_count_works() == 1 { #expect(later == allocations) }
        #expect(refusedCount == 10_000 - 32)
        #expect(front.push(Wide(0)) == false && front.inFlightCount == 32)
        #expect(table.begin(Epoch(rawValue: 2)).map(\.payload) == Array(0..<32))
    }

    @Test("XSA-392: a front that goes on for ever is served a ringful at a time")
    func floodingFront() throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        // After each request that is taken, another one stands there, as if answers had been seen.
        for number: UInt64 in 0..<32 { #expect(front.push(Wide(number)) == true) }
        _ = front.publish()
        var servedCount: UInt32 = 0
        let error = #expect(throws: RingError.self) {
            try back.serve { request in
                servedCount += 1
                memory[0] = 32 + servedCount
                return Wide(request.value)
            }
        }
        #expect(servedCount == 32 && error?.limit == 0)
    }

    @Test("XSA-392: answers that nobody waits for are counted, and hold nothing up")
    func wrongAnswers() throws {
        var random = SplitMix(seed: 392)
        var table = RequestTable<Wide<1>, Int, UInt64>(capacity: 32, epoch: Epoch(rawValue: 9))
        let id = try #require(table.issue(1) { id, _ in Wide(id) }?.value)
        var ids: [UInt64] = [0, 1, .max, .max - 1, 1 << 63, id ^ 1, id &+ 32, id &+ 1 << 32]
        for _ in 0..<10_000 { ids.append(random.next()) }
        for wrong in ids where wrong != id {
            if case .answered = table.match(wrong) { Issue.record("\(wrong) was matched") }
        }
        let dropped = table.dropped
        #expect(
            dropped.duplicateCount + dropped.unknownCount + dropped.staleCount == UInt64(ids.count))
        guard case .answered = table.match(id) else { throw Unexpected() }
        #expect(table.freeCount == 32)
    }

    @Test("XSA-396: a slot whose pages the peer may still write is not used again")
    func abandonedSlots() throws {
        var table = RequestTable<Wide<1>, Int, UInt64>(capacity: 4, epoch: Epoch(rawValue: 1))
        var slots: [UInt64: Int] = [:]
        for number in 0..<4 {
            let request = table.issue(number) { id, slot in
                slots[id] = slot
                return Wide(id)
            }
            #expect(request != nil)
        }
        #expect(table.abandon { $0 % 2 == 0 } == [0, 2])
        #expect(table.issue(4) { id, _ in Wide(id) } == nil)
        for (id, slot) in slots {
            let match = table.match(id)
            if case .abandoned(slot, _) = match { continue }
            guard case .answered(let request) = match else { throw Unexpected() }
            #expect(request.slot == slot && request.payload % 2 == 1)
        }
        #expect(table.freeCount == 4)
    }

    @Test("XSA-403: a fresh ring shows the peer nothing of what its pages held")
    func zeroed() {
        let memory = TestMemory(byteCount: 4 * Page.byteCount)
        _ = Front(initializing: memory.view)
        #expect(memory.bytes.enumerated().allSatisfy { [4, 12].contains($0) || $1 == 0 })
    }
}
