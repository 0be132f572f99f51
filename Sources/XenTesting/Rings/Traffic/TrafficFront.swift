import XenCore
package import XenRing

/// The front of a ring under traffic: requests in batches, answers in any order, each of them once.
package struct TrafficFront<
    Request: TrafficMessage, Response: TrafficMessage, Bell: TrafficBell
>: ~Copyable {
    private var ring: FrontRing<Request, Response>
    private let bell: Bell
    private let plan: TrafficPlan
    private var random: SplitMix
    private var waits: [Bool]
    private var sentCount = 0
    private(set) var answeredCount = 0
    package private(set) var sums = TrafficSums()

    package init(
        _ ring: consuming FrontRing<Request, Response>, _ bell: Bell, _ plan: TrafficPlan
    ) {
        self.ring = ring
        self.bell = bell
        self.plan = plan
        random = SplitMix(seed: plan.seed)
        waits = [Bool](repeating: false, count: plan.total)
    }

    var statistics: RingStatistics { ring.statistics }
    var capacity: Int { ring.capacity }
    var inFlightCount: Int { ring.inFlightCount }

    /// Returns when every request has its answer.
    package mutating func run() throws { try run(until: plan.total) }

    /// Returns when so many requests have their answers.
    mutating func run(until answerCount: Int) throws {
        while answeredCount < answerCount {
            try sendBatch()
            try takeAnswers()
            let isStuck = sentCount == plan.total || ring.freeSlotCount == 0
            if isStuck && answeredCount < answerCount { try bell.sleep() }
        }
    }

    /// Takes what is there, up to the final check.
    mutating func takeAnswers() throws {
        while let response = try ring.next() { try take(response) }
    }

    /// Expects that nothing more has come, and leaves the ring asking for a notification.
    mutating func expectNothingMore() throws {
        guard try ring.next() == nil else {
            throw ConformanceFailure("there are more answers than requests")
        }
    }

    private mutating func sendBatch() throws {
        for _ in 0..<Int.random(in: 1...plan.batch, using: &random) where sentCount < plan.total {
            let request = Request(traffic: UInt32(sentCount), seed: plan.seed)
            guard ring.push(request) else { break }
            sums.sent &+= request.trafficSum
            waits[sentCount] = true
            sentCount += 1
        }
        try bell.notify(if: ring.publish())
    }

    private mutating func take(_ response: Response) throws {
        guard let number = response.trafficNumber(seed: ~plan.seed) else {
            throw ConformanceFailure("answer \(answeredCount) is torn")
        }
        guard number < sentCount, waits[number] else {
            throw ConformanceFailure(
                "answer \(answeredCount) is to request \(number), which waits for none")
        }
        waits[number] = false
        answeredCount += 1
        sums.received &+= response.trafficSum
    }
}
