import Testing
import XenCore
import XenRing

/// Every sequence of a few steps, beside a record of all that was ever issued; after each, every id
/// is looked at.
@Suite struct RequestTableExplorationTests {
    /// Where the fields of an id lie, by its width and the table's capacity.
    struct Fields: CustomTestStringConvertible {
        let (slot, generation, epoch): (Int, Int, Int)
        var testDescription: String { "\(slot) + \(generation) + \(epoch) bits" }
    }

    @Test(arguments: [1, 2, 3])
    func everyIDOf8Bits(capacity: Int) {
        let slot = capacity == 3 ? 2 : capacity - 1
        let fields = Fields(slot: slot, generation: 2, epoch: 6 - slot)
        explore(UInt8.self, capacity, fields) { _ in Array(UInt8.min...UInt8.max) }
    }

    @Test func everyBitOfAnIDOf16Bits() {
        explore(UInt16.self, 129, Fields(slot: 8, generation: 4, epoch: 4), neighbours)
    }

    @Test func everyBitOfAnIDOf32Bits() {
        explore(UInt32.self, 2, Fields(slot: 1, generation: 8, epoch: 23), neighbours)
    }

    @Test func everyBitOfAnIDOf64Bits() {
        explore(UInt64.self, 2, Fields(slot: 1, generation: 31, epoch: 32), neighbours)
    }

    private func neighbours<ID: FixedWidthInteger>(_ known: [ID]) -> [ID] {
        known.flatMap { id in [id] + (0..<ID.bitWidth).map { id ^ (1 << $0) } } + [.max]
    }

    private func explore<ID: FixedWidthInteger & UnsignedInteger>(
        _: ID.Type, _ capacity: Int, _ fields: Fields, _ probes: ([ID]) -> [ID]
    ) {
        let depth = 4
        let stepCount = RecordedTable<ID>.Step.allCases.count
        for number in 0..<Array(repeating: stepCount, count: depth).reduce(1, *) {
            var table = RecordedTable<ID>(capacity, fields)
            var (left, steps) = (number, [RecordedTable<ID>.Step]())
            for _ in 0..<depth {
                steps.append(RecordedTable<ID>.Step.allCases[left % stepCount])
                left /= stepCount
            }
            for step in steps { table.take(step) }
            for id in probes(table.knownIDs) { table.probe(id) }
            table.checkCounts()
            guard let fault = table.fault else { continue }
            Issue.record("after \(steps): \(fault)")
            return
        }
    }
}

/// A table, and a record of what was ever issued, which says what the table has to answer.
private struct RecordedTable<ID: FixedWidthInteger & UnsignedInteger>: ~Copyable {
    enum Step: CaseIterable { case issue, answerOldest, answerNewest, abandon, answerLate, begin }
    private enum Status { case waiting, abandoned, answered }

    private(set) var fault: String?
    private var table: RequestTable<Wide<1>, String, ID>
    private let fields: RequestTableExplorationTests.Fields
    private let capacity: Int
    private var epoch: UInt32 = 1
    /// Of this epoch; the newest request of an id counts.
    private var statuses: [ID: Status] = [:]
    private var names: [ID: String] = [:]
    private var serial = 0
    private var (waiting, abandoned): ([ID], [ID]) = ([], [])
    private var oldIDs: Set<ID> = []
    private var dropCount: UInt64 = 0

    init(_ capacity: Int, _ fields: RequestTableExplorationTests.Fields) {
        self.capacity = capacity
        self.fields = fields
        table = RequestTable(capacity: capacity, epoch: Epoch(rawValue: 1))
    }

    var knownIDs: [ID] { Array(oldIDs.union(statuses.keys)) }

    mutating func take(_ step: Step) {
        switch step {
        case .issue: issue()
        case .answerOldest: if let id = waiting.first { answer(id) }
        case .answerNewest: if let id = waiting.last { answer(id) }
        case .abandon:
            guard let id = waiting.first else { return }
            expect(table.abandon(id) == names[id], "the payload of \(id)")
            waiting.removeFirst()
            abandoned.append(id)
            statuses[id] = .abandoned
        case .answerLate: if let id = abandoned.last { answer(id) }
        case .begin:
            epoch += 1
            let unanswered = table.begin(Epoch(rawValue: epoch)).map(\.payload)
            expect(unanswered == waiting.map { names[$0] ?? "" }, "the unanswered, oldest first")
            oldIDs.formUnion(statuses.keys)
            (statuses, waiting, abandoned) = ([:], [], [])
        }
        expect(
            table.waitingCount == waiting.count && table.abandonedCount == abandoned.count
                && table.freeCount == capacity - waiting.count - abandoned.count, "the counts")
    }

    private mutating func issue() {
        serial += 1
        var made: ID?
        let request = table.issue("\(serial)") { id, _ in
            made = id
            return Wide(UInt64(id))
        }
        expect((request == nil) == (waiting.count + abandoned.count == capacity), "room")
        guard let id = made else { return }
        expect(statuses[id] != .waiting && statuses[id] != .abandoned, "an id of its own")
        statuses[id] = .waiting
        names[id] = "\(serial)"
        waiting.append(id)
    }

    private mutating func answer(_ id: ID) {
        let expected = expectation(for: id)
        let found = name(table.match(id))
        expect(found.hasPrefix(expected), "\(id) is \(found), not \(expected)")
        if statuses[id] == .abandoned { dropCount += 1 }
        waiting.removeAll { $0 == id }
        abandoned.removeAll { $0 == id }
        statuses[id] = .answered
    }

    /// Looks at an id that nothing waits for.
    mutating func probe(_ id: ID) {
        guard statuses[id] != .waiting && statuses[id] != .abandoned else { return }
        let expected = expectation(for: id)
        let found = name(table.match(id))
        expect(found == expected, "\(id) is \(found), not \(expected)")
        dropCount += 1
    }

    /// What was answered in vain was counted, and once.
    mutating func checkCounts() {
        let dropped = table.dropped
        let sum =
            dropped.abandonedCount + dropped.duplicateCount + dropped.unknownCount
            + dropped.staleCount
        expect(sum == dropCount, "\(dropped) after \(dropCount)")
    }

    private func expectation(for id: ID) -> String {
        let epochField = UInt64(id) >> (fields.slot + fields.generation)
        if epochField != UInt64(epoch) { return epochField < UInt64(epoch) ? "stale" : "unknown" }
        switch statuses[id] {
        case .waiting: return names[id] ?? ""
        case .abandoned: return "abandoned"
        case .answered: return "duplicate"
        case nil: return "unknown"
        }
    }

    private mutating func expect(_ isRight: Bool, _ what: String) {
        if !isRight && fault == nil { fault = what }
    }
}
