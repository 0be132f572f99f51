#if LibXen
    import CRing
    import Testing
    import XenCore
    import XenRing

    /// The same steps by four pairs of ends: C with C, which says what is right, and ours with C's and
    /// with each other. After each step all saw the same, and all memory holds the same bytes.
    @Suite struct ConformanceTests {
        /// 1 to 16 pages, and sizes around the smallest rings; indices from 0, and across 2^32.
        static let pageCounts = Array(1...16)
        static let starts: [UInt32] = [0, UInt32.max - 2, 0x7FFF_FFFD]

        @Test(arguments: pageCounts, starts)
        func pages(_ count: Int, from start: UInt32) throws {
            let byteCount = count * Page.byteCount
            try unsafe run(Narrow<1>.self, Narrow<1>.self, cring_4_4_aligned_4(), byteCount, start)
            try unsafe run(Narrow<3>.self, Wide<1>.self, cring_12_aligned_4_8(), byteCount, start)
            try unsafe run(Wide<1>.self, Wide<3>.self, cring_8_24(), byteCount, start)
            try unsafe run(Wide<14>.self, Wide<2>.self, cring_112_16(), byteCount, start)
            try unsafe run(Wide<126>.self, Wide<1>.self, cring_1008_8(), byteCount, start)
            try unsafe run(Wide<504>.self, Wide<1>.self, cring_4032_8(), byteCount, start)
        }

        @Test(arguments: 1...9, starts)
        func slots(_ count: Int, from start: UInt32) throws {
            try unsafe run(
                Narrow<1>.self, Narrow<1>.self, cring_4_4_aligned_4(), 64 + 4 * count, start)
            try unsafe run(
                Narrow<3>.self, Wide<1>.self, cring_12_aligned_4_8(), 64 + 16 * count, start)
            try unsafe run(Wide<1>.self, Wide<3>.self, cring_8_24(), 64 + 24 * count + 23, start)
            try unsafe run(Wide<14>.self, Wide<2>.self, cring_112_16(), 64 + 112 * count, start)
        }

        private func run<Request: NumberedMessage, Response: NumberedMessage>(
            _: Request.Type, _: Response.Type, _ kind: UnsafePointer<cring_kind>?,
            _ byteCount: Int, _ start: UInt32
        ) throws {
            let kind = try unsafe #require(kind)
            let memories = (0..<4).map { _ in TestMemory(byteCount: byteCount) }
            let index = RingIndex(start)
            let reference = unsafe CFront<Request, Response>(kind, memories[0], at: index)
            let ours = SwiftFront<Request, Response>(memories[1], at: index)
            try #require(ours.capacity == reference.capacity)
            let pairs = unsafe [
                Pair(
                    memories[0], reference, CBack<Request, Response>(kind, memories[0], at: index)),
                Pair(memories[1], ours, CBack<Request, Response>(kind, memories[1], at: index)),
                Pair(
                    memories[2], CFront<Request, Response>(kind, memories[2], at: index),
                    SwiftBack<Request, Response>(memories[2], at: index)),
                Pair(
                    memories[3], SwiftFront<Request, Response>(memories[3], at: index),
                    SwiftBack<Request, Response>(memories[3], at: index)),
            ]
            try compare(pairs, capacity: reference.capacity)
        }

        private func compare(_ pairs: [Pair], capacity: Int) throws {
            var script = StepScript(capacity: capacity)
            try expectSameBytes(pairs, after: nil)
            for _ in 0..<min(12 * capacity + 40, 400, 40 + 100_000 / capacity) {
                let step = script.next()
                let outcomes = try pairs.map { try $0.perform(step) }
                for outcome in outcomes.dropFirst() {
                    try #require(outcome == outcomes[0], "after \(step)")
                }
                try expectSameBytes(pairs, after: step)
            }
        }

        private func expectSameBytes(_ pairs: [Pair], after step: Step?) throws {
            for pair in pairs.dropFirst() {
                let isSame = pair.memory.hasSameBytes(as: pairs[0].memory)
                try #require(isSame, "after \(step as Any)")
            }
        }
    }

    /// Both ends of one ring.
    private struct Pair {
        let memory: TestMemory
        let front: any FrontEnd
        let back: any BackEnd

        init(_ memory: TestMemory, _ front: any FrontEnd, _ back: any BackEnd) {
            self.memory = memory
            self.front = front
            self.back = back
        }

        /// What one end saw of a step: the messages that it took, and whether it has to notify.
        func perform(_ step: Step) throws -> Outcome {
            switch step {
            case .request(let count, let number):
                for offset in 0..<count { front.push(number &+ UInt64(offset)) }
                return Outcome(notify: front.publish())
            case .takeRequests(let count):
                return Outcome(messages: try (0..<count).map { _ in try back.next() })
            case .respond(let count, let number):
                for offset in 0..<count { back.push(number &+ UInt64(offset)) }
                return Outcome(notify: back.publish())
            case .takeResponses(let count):
                return Outcome(messages: try (0..<count).map { _ in try front.next() })
            }
        }
    }

    private struct Outcome: Equatable {
        var notify = false
        var messages: [[UInt8]?] = []
    }

    private enum Step {
        case request(count: Int, number: UInt64)
        case takeRequests(count: Int)
        case respond(count: Int, number: UInt64)
        case takeResponses(count: Int)
    }

    /// A sequence of steps that honest ends may take: full rings, empty ones and all between.
    private struct StepScript {
        let capacity: Int
        private var inFlight = 0
        private var taken = 0
        private var answered = 0
        private var number: UInt64 = 0x0101_0101_0101_0101
        private var random = SplitMix(seed: 7)

        init(capacity: Int) { self.capacity = capacity }

        /// At times one message too many is asked for, so that the final check is made.
        mutating func next() -> Step {
            number &+= 0x0102_0304_0506_0708
            switch random.next() % 4 {
            case 0:
                let count = upTo(capacity - inFlight - taken - answered)
                inFlight += count
                return .request(count: count, number: number)
            case 1:
                let count = upTo(inFlight + 1)
                let found = min(count, inFlight)
                inFlight -= found
                taken += found
                return .takeRequests(count: count)
            case 2:
                let count = upTo(taken)
                taken -= count
                answered += count
                return .respond(count: count, number: number)
            default:
                let count = upTo(answered + 1)
                answered -= min(count, answered)
                return .takeResponses(count: count)
            }
        }

        private mutating func upTo(_ limit: Int) -> Int {
            Int.random(in: 0...limit, using: &random)
        }
    }
#endif
