import Testing
import XenCore
import XenRing

/// Every state that two honest ends of a ring of two slots can reach, in any order of their steps.
@Suite struct InspectionWalkTests {
    typealias Front = FrontRing<Wide<200>, Wide<200>>
    typealias Back = BackRing<Wide<200>, Wide<200>>
    static let kind = RingKind.messages(slotByteCount: 1600)

    enum Step: CaseIterable {
        case request, publishRequests, takeResponse, takeRequest, respond, publishResponses
    }

    /// All that the two ends know, counted from the ring's beginning.
    struct Counts: Hashable {
        var (requested, requestsPublished, requestsTaken, requestsSeen) = (0, 0, 0, 0)
        var (responded, responsesPublished, responsesTaken, responsesSeen) = (0, 0, 0, 0)
        /// The header of the page: the event indices belong to the state.
        var header: [UInt8] = []
    }

    /// Plays the steps on a fresh ring. A step that is not possible does nothing.
    func play(_ steps: [Step], at start: UInt32, _ memory: TestMemory) throws -> Counts {
        var front = Front(initializing: memory.view, at: RingIndex(start))
        var back = Back(attachingTo: memory.view, at: RingIndex(start))
        var counts = Counts()
        for step in steps {
            switch step {
            case .request:
                if counts.requested < 5, front.push(Wide(7)) { counts.requested += 1 }
            case .publishRequests:
                _ = front.publish()
                counts.requestsPublished = counts.requested
            case .takeResponse:
                if counts.responsesTaken == counts.responsesSeen {
                    counts.responsesSeen = counts.responsesPublished
                }
                if try front.next() != nil { counts.responsesTaken += 1 }
            case .takeRequest:
                if counts.requestsTaken == counts.requestsSeen {
                    counts.requestsSeen = counts.requestsPublished
                }
                if try back.next() != nil { counts.requestsTaken += 1 }
            case .respond:
                if back.unansweredCount > 0 {
                    back.push(Wide(9))
                    counts.responded += 1
                }
            case .publishResponses:
                _ = back.publish()
                counts.responsesPublished = counts.responded
            }
        }
        counts.header = memory.view.bytes(at: 0, count: 16)
        return counts
    }

    @Test(arguments: [0, 1, 0x7FFF_FFFE, UInt32.max - 4, UInt32.max - 2, UInt32.max])
    func noHonestStateHasAFinding(from start: UInt32) throws {
        let memory = TestMemory()
        var known: Set<Counts> = []
        var pending: [[Step]] = [[]]
        while let steps = pending.popLast() {
            let counts = try play(steps, at: start, memory)
            guard known.insert(counts).inserted else { continue }
            try check(RingInspection(memory.bytes, kind: Self.kind), counts, after: steps)
            pending += Step.allCases.map { steps + [$0] }
        }
        #expect(known.count > 1000)
    }

    /// The report against what the ends know.
    func check(_ inspection: RingInspection, _ counts: Counts, after steps: [Step]) throws {
        guard case .messages(let report) = inspection.content else {
            Issue.record("not a ring of messages")
            return
        }
        let unanswered = counts.requestsPublished - counts.responsesPublished
        let waitingRequests = counts.requestsPublished - counts.requestsTaken
        let waitingResponses = counts.responsesPublished - counts.responsesTaken
        let free = 2 - (counts.requestsPublished - counts.responsesTaken)
        let isRight =
            inspection.findings.isEmpty && report.slotCount == 2
            && report.unansweredCount == UInt32(unanswered)
            && report.requests.waitingLimit.map { waitingRequests <= Int($0) } ?? false
            && report.responses.waitingLimit.map { waitingResponses <= Int($0) } ?? false
            && report.freeSlotCount?.contains(UInt32(free)) ?? false
        #expect(isRight, "\(inspection)\n\(counts) after \(steps)")
    }
}
