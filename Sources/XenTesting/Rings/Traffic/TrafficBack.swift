import XenCore
package import XenRing

/// The back of a ring under traffic: requests in order, answers in batches and in any order.
package struct TrafficBack<
    Request: TrafficMessage, Response: TrafficMessage, Bell: TrafficBell
>: ~Copyable {
    private var ring: BackRing<Request, Response>
    private let bell: Bell
    private let plan: TrafficPlan
    private var random: SplitMix
    private var takenCount: Int
    private var answeredCount: Int
    private var held: [Int] = []
    package private(set) var sums = TrafficSums()

    /// - Parameter answeredCount: the requests that another back has answered, the first ones of all.
    package init(
        _ ring: consuming BackRing<Request, Response>, _ bell: Bell, _ plan: TrafficPlan,
        answeredCount: Int = 0
    ) {
        self.ring = ring
        self.bell = bell
        self.plan = plan
        random = SplitMix(seed: ~plan.seed)
        takenCount = answeredCount
        self.answeredCount = answeredCount
    }

    var statistics: RingStatistics { ring.statistics }
    var capacity: Int { ring.capacity }

    /// Returns when every request is answered.
    package mutating func run() throws {
        while answeredCount < plan.total {
            while try takeNext() {
                if held.count == ring.capacity || random.next() % 4 == 0 { try answerBatch() }
            }
            while !held.isEmpty { try answerBatch() }
            if answeredCount < plan.total { try bell.sleep() }
        }
    }

    /// Takes requests until there have been so many, answers all but the last few, and stops.
    ///
    /// The answers come in order: where another back is to take the ring over, it cannot know of any other.
    mutating func runAndStop(after stopCount: Int, leavingUnanswered leftCount: Int) throws {
        while takenCount < stopCount {
            while takenCount < stopCount, try takeNext() {
                if takenCount <= stopCount - leftCount { answer(held.removeFirst()) }
            }
            try bell.notify(if: ring.publish())
            if takenCount < stopCount { try bell.sleep() }
        }
    }

    /// Expects that nothing more has come, and leaves the ring asking for a notification.
    mutating func expectNothingMore() throws {
        guard try ring.next() == nil else {
            throw ConformanceFailure("there are more than the \(plan.total) requests")
        }
    }

    private mutating func takeNext() throws -> Bool {
        guard let request = try ring.next() else { return false }
        guard request.trafficNumber(seed: plan.seed) == takenCount else {
            throw ConformanceFailure("request \(takenCount) is torn or out of order")
        }
        sums.received &+= request.trafficSum
        held.append(takenCount)
        takenCount += 1
        return true
    }

    private mutating func answerBatch() throws {
        for _ in 0..<Int.random(in: 1...plan.batch, using: &random) where !held.isEmpty {
            held.swapAt(Int.random(in: 0..<held.count, using: &random), held.count - 1)
            answer(held.removeLast())
        }
        try bell.notify(if: ring.publish())
    }

    private mutating func answer(_ number: Int) {
        let response = Response(traffic: UInt32(number), seed: ~plan.seed)
        sums.sent &+= response.trafficSum
        ring.push(response)
        answeredCount += 1
    }
}
