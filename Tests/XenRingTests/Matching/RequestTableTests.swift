import CAllocationCount
import Testing
import XenCore
import XenRing

/// What a `RequestTable` makes of each id, step by step.
@Suite struct RequestTableTests {
    typealias Table<ID: FixedWidthInteger & UnsignedInteger> = RequestTable<Wide<1>, String, ID>

    /// A request that carries its own id.
    private func issue(_ name: String, in table: inout Table<UInt64>) -> UInt64? {
        table.issue(name) { id, _ in Wide(id) }?.value
    }

    @Test func aResponseIsMatchedOnce() throws {
        var table = Table<UInt64>(capacity: 4, epoch: Epoch(rawValue: 7))
        let id = try #require(issue("a", in: &table))
        #expect(table.waitingCount == 1 && table.freeCount == 3)
        guard case .answered(let issued) = table.match(id) else { throw Unexpected() }
        #expect(issued.payload == "a" && issued.request.value == id && issued.slot == 0)
        #expect(table.waitingCount == 0 && table.freeCount == 4)
        #expect(name(table.match(id)) == "duplicate")
        #expect(table.dropped == dropped(duplicate: 1))
    }

    /// The slot is the same, the request is not.
    @Test func aSecondAnswerIsNotTakenForTheNextRequests() throws {
        var table = Table<UInt64>(capacity: 1, epoch: Epoch(rawValue: 1))
        let first = try #require(issue("a", in: &table))
        #expect(name(table.match(first)) == "a")
        let second = try #require(issue("b", in: &table))
        #expect(first != second)
        #expect(name(table.match(first)) == "duplicate")
        #expect(name(table.match(second)) == "b")
    }

    @Test func aFullTableTakesNoMore() {
        var table = Table<UInt64>(capacity: 3, epoch: Epoch(rawValue: 1))
        for index in 0..<3 { #expect(issue("\(index)", in: &table) != nil) }
        #expect(issue("3", in: &table) == nil && table.freeCount == 0)
        var wasMade = false
        _ = table.issue("3") { _, _ in
            wasMade = true
            return Wide(0)
        }
        #expect(!wasMade)
    }

    @Test func aRequestThatCannotBeMadeTakesNoSlot() throws {
        var table = Table<UInt64>(capacity: 1, epoch: Epoch(rawValue: 1))
        #expect(throws: Unexpected.self) {
            _ = try table.issue("a") { _, _ throws(Unexpected) in throw Unexpected() }
        }
        #expect(table.freeCount == 1)
        #expect(name(table.match(try #require(issue("b", in: &table)))) == "b")
    }

    @Test func anAbandonedRequestKeepsItsSlotUntilItIsAnswered() throws {
        var table = Table<UInt64>(capacity: 2, epoch: Epoch(rawValue: 1))
        let first = try #require(issue("a", in: &table))
        _ = issue("b", in: &table)
        #expect(table.abandon(first) == "a")
        #expect(table.abandon(first) == nil, "abandoned already")
        #expect(table.waitingCount == 1 && table.abandonedCount == 1)
        #expect(issue("c", in: &table) == nil, "the peer may still write to its pages")
        #expect(name(table.match(first)) == "abandoned 0 \(first)")
        #expect(name(table.match(first)) == "duplicate")
        #expect(issue("c", in: &table) != nil)
        #expect(table.dropped == dropped(abandoned: 1, duplicate: 1))
    }

    @Test func thoseThatAreNamedAreAbandonedOldestFirst() throws {
        var table = Table<UInt64>(capacity: 8, epoch: Epoch(rawValue: 1))
        let ids = ["a1", "b1", "a2", "b2", "a3"].map { issue($0, in: &table) ?? 0 }
        #expect(name(table.match(ids[2])) == "a2")
        _ = issue("a4", in: &table)
        var asked: [String] = []
        let ended = table.abandon {
            asked.append($0)
            return $0.hasPrefix("a")
        }
        #expect(ended == ["a1", "a3", "a4"])
        #expect(asked == ["a1", "b1", "b2", "a3", "a4"])
        #expect(table.takeUnanswered().map(\.payload) == ["b1", "b2"])
    }

    @Test func theNextEpochGetsWhatIsUnansweredOldestFirst() throws {
        var table = Table<UInt64>(capacity: 4, epoch: Epoch(rawValue: 1))
        let ids = ["a", "b", "c", "d"].map { issue($0, in: &table) ?? 0 }
        #expect(name(table.match(ids[0])) == "a")
        #expect(table.abandon(ids[2]) == "c")
        _ = issue("e", in: &table)
        let unanswered = table.begin(Epoch(rawValue: 2))
        #expect(unanswered.map(\.payload) == ["b", "d", "e"])
        #expect(unanswered.map(\.slot) == [1, 3, 0])
        #expect(unanswered[0].request.value == ids[1])
        #expect(table.freeCount == 4 && table.waitingCount == 0 && table.abandonedCount == 0)
        for id in ids { #expect(name(table.match(id)) == "stale") }
        let again = unanswered.map { issue($0.payload, in: &table) ?? 0 }
        #expect(again.map { name(table.match($0)) } == ["b", "d", "e"])
        #expect(table.dropped == dropped(stale: 4))
    }

    @Test func whatIsTakenBackMayStillBeAnswered() throws {
        var table = Table<UInt64>(capacity: 2, epoch: Epoch(rawValue: 1))
        let ids = ["a", "b"].map { issue($0, in: &table) ?? 0 }
        #expect(table.takeUnanswered().map(\.payload) == ["a", "b"])
        #expect(table.takeUnanswered().isEmpty)
        #expect(issue("c", in: &table) == nil)
        #expect(name(table.match(ids[1])) == "abandoned 1 \(ids[1])")
        #expect(issue("c", in: &table) != nil)
    }

    @Test func idsThatNobodyMadeAreUnknown() throws {
        var table = Table<UInt64>(capacity: 3, epoch: Epoch(rawValue: 5))
        let id = try #require(issue("a", in: &table))
        let slotOutOfRange = id | 3
        let unusedSlot = id | 1
        let futureGeneration = id + 4
        let futureEpoch = id + 1 << 32
        for unknown in [slotOutOfRange, unusedSlot, futureGeneration, futureEpoch, .max] {
            #expect(name(table.match(unknown)) == "unknown", "\(unknown)")
            #expect(table.abandon(unknown) == nil)
        }
        #expect(name(table.match(id - 1 << 32)) == "stale")
        #expect(name(table.match(id)) == "a")
        #expect(table.dropped == dropped(unknown: 5, stale: 1))
    }

    /// As netif's, whose ids have 16 bits: 256 slots leave four for the epoch and four for the
    /// generation.
    @Test func narrowIDsTellFifteenEpochsAndGenerationsApart() throws {
        var table = Table<UInt16>(capacity: 256, epoch: Epoch(rawValue: 3))
        var ids: [UInt16] = []
        for use in 0..<16 {
            let id = try #require(table.issue("\(use)") { id, _ in Wide(UInt64(id)) })
            ids.append(UInt16(id.value))
            #expect(name(table.match(ids[use])) == "\(use)")
            for old in ids { #expect(name(table.match(old)) == "duplicate") }
        }
        #expect(Set(ids).count == 16)
        #expect(table.issue("16") { id, _ in Wide(UInt64(id)) }?.value == UInt64(ids[0]))
        for epoch: UInt32 in 4...18 {
            _ = table.begin(Epoch(rawValue: epoch))
            #expect(name(table.match(ids[1])) == "stale", "epoch \(epoch)")
        }
        _ = table.begin(Epoch(rawValue: 19))
        #expect(name(table.match(ids[1])) == "unknown", "16 epochs later, an id of this one")
    }

    @Test func anIDMayHaveRoomForTheSlotAlone() throws {
        var table = Table<UInt8>(capacity: 256, epoch: Epoch(rawValue: 9))
        for slot in 0..<256 {
            #expect(table.issue("\(slot)") { id, _ in Wide(UInt64(id)) }?.value == UInt64(slot))
        }
        for slot: UInt8 in 0...255 { #expect(name(table.match(slot)) == "\(slot)") }
        #expect(name(table.match(17)) == "duplicate")
    }

    @Test func requestsAllocateNothing() throws {
        var table = RequestTable<Wide<14>, UInt64, UInt64>(
            capacity: 32, epoch: Epoch(rawValue: 1))
        var mismatches = 0
        var before: UInt64 = 0
        var number: UInt64 = 0
        while number < 1000, let request = table.issue(number, { id, _ in Wide(id) }) {
            // The first ones are the Swift runtime's, for types that it meets for the first time.
            if number == 10 { before = allocation_count_of_this_thread() }
            if number % 3 == 0 { _ = table.abandon(request.value) }
            if case .unknown = table.match(request.value) { mismatches += 1 }
            if case .answered = table.match(request.value) { mismatches += 1 }
            number += 1
        }
        let after = allocation_count_of_this_thread()
        #expect(number == 1000 && mismatches == 0 && table.freeCount == 32)
        // Under a sanitizer nothing can be counted.
        if allocation_count_works() == 1 { #expect(after == before) }
    }
}

struct Unexpected: Error {}

/// A result in one word: the payload of an answered request, or the case's name.
func name<Request: NumberedMessage>(_ match: RequestMatch<Request, String>) -> String {
    switch match {
    case .answered(let issued): issued.payload
    case .abandoned(let slot, let request): "abandoned \(slot) \(request.value)"
    case .duplicate: "duplicate"
    case .unknown: "unknown"
    case .stale: "stale"
    }
}

private func dropped(
    abandoned: UInt64 = 0, duplicate: UInt64 = 0, unknown: UInt64 = 0, stale: UInt64 = 0
) -> DroppedResponses {
    DroppedResponses(
        abandonedCount: abandoned, duplicateCount: duplicate, unknownCount: unknown,
        staleCount: stale)
}
