import XenCore
import XenRing

/// What rings between two processes must do, whatever lies beneath: the mock, or real Xen with a half in each of two
/// domains. Front ends are the left half's, back ends the right half's; run it twice to have both the other way round.
public enum RingConformance {
    /// The checks, with the same traffic for the same numbers.
    ///
    /// - Parameters:
    ///   - seed: what contents, batches and order come from.
    ///   - requestCount: in each ring of requests; the byte rings carry a few times what they hold.
    public static func checks(seed: UInt64 = 1, requestCount: Int = 1000) -> [RingCheck] {
        precondition(requestCount > 0, "there is traffic")
        let plan = TrafficPlan(
            total: requestCount, batch: 8, seed: seed, start: RingIndex(.max - 70))
        return requests(plan) + endings(plan) + refusals + bytes(seed: seed) + byteEnds
            + scheduling
    }
}

/// What one end says of itself after its traffic.
struct RingEndReport: Equatable {
    static let numberCount = 7
    let capacity, requests, responses, publishes, notifications, finalChecks, wakeUps: UInt32

    init(_ statistics: RingStatistics, capacity: Int, _ bell: RingBell) {
        self.capacity = UInt32(capacity)
        requests = UInt32(statistics.requestCount)
        responses = UInt32(statistics.responseCount)
        publishes = UInt32(statistics.publishCount)
        notifications = UInt32(statistics.notificationCount)
        finalChecks = UInt32(statistics.finalCheckCount)
        wakeUps = UInt32(bell.wakeUpCount)
    }

    init(_ numbers: [UInt32]) {
        capacity = numbers[0]
        (requests, responses) = (numbers[1], numbers[2])
        (publishes, notifications) = (numbers[3], numbers[4])
        (finalChecks, wakeUps) = (numbers[5], numbers[6])
    }

    var numbers: [UInt32] {
        [capacity, requests, responses, publishes, notifications, finalChecks, wakeUps]
    }
}

extension RingHalf {
    /// Tells the other half of this end, and hears of that one.
    func exchange(_ report: RingEndReport) throws -> RingEndReport {
        try tell(report.numbers)
        return RingEndReport(
            try hear("what the other end counted", count: RingEndReport.numberCount))
    }
}

extension RingConformance {
    /// Expects what both ends counted to fit, after so many requests were answered.
    static func expectSane(front: RingEndReport, back: RingEndReport, total: Int) throws {
        let total = UInt32(total)
        try expect("the back's slots", back.capacity, is: front.capacity)
        for (name, end) in [("front", front), ("back", back)] {
            try expect("the \(name)'s requests", end.requests, is: total)
            try expect("the \(name)'s answers", end.responses, is: total)
            try expect(
                end.publishes >= (total + front.capacity - 1) / front.capacity
                    && end.publishes <= total && end.notifications <= end.publishes
                    && end.finalChecks >= 1,
                "the \(name) counts what cannot be: \(end)")
        }
        // Each notification was asked for, by a final check or by whoever made the ring; binding rings once.
        let pairs: [(RingEndReport, RingEndReport, UInt32)] = [(front, back, 1), (back, front, 0)]
        for (end, peer, spare) in pairs {
            try expect(
                end.notifications <= peer.finalChecks + 1,
                "\(end.notifications) notifications where \(peer.finalChecks) final checks asked")
            try expect(
                peer.wakeUps <= end.notifications + spare,
                "\(peer.wakeUps) wake-ups by \(end.notifications) notifications")
        }
    }

    /// Expects the pages to say nothing that cannot be.
    @discardableResult
    static func expectSound(_ bytes: [UInt8], _ kind: RingKind) throws -> RingInspection {
        let inspection = try RingInspection(bytes, kind: kind)
        try expect("what is wrong with the ring's pages", inspection.findings, is: [])
        return inspection
    }

    /// Expects the pages of a ring that both ends have found empty to say so, and nothing that cannot be.
    static func expectQuiet(
        _ bytes: [UInt8], slotByteCount: Int, slotCount: Int, end: RingIndex
    ) throws {
        let inspection = try expectSound(bytes, .messages(slotByteCount: slotByteCount))
        guard case .messages(let report) = inspection.content else {
            throw ConformanceFailure("the pages were not taken for a ring of messages")
        }
        try expect("slots", Int(report.slotCount), is: slotCount)
        try expect("requests without an answer", report.unansweredCount, is: 0)
        try expect("the requests' end", report.requests.producer, is: end)
        try expect("when the back is woken", report.requests.wakeUp, is: .byNext)
        try expect("when the front is woken", report.responses.wakeUp, is: .byNext)
    }
}
