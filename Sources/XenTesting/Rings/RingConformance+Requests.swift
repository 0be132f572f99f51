import XenCore
import XenRing

extension RingConformance {
    static func requests(_ plan: TrafficPlan) -> [RingCheck] {
        var fromZero = plan
        fromZero.start = RingIndex(0)
        var large = plan
        large.batch = 200
        return [
            traffic(NumberedLongWords<14>.self, NumberedLongWords<2>.self, pageCount: 1, fromZero),
            traffic(NumberedWords<3>.self, NumberedLongWords<1>.self, pageCount: 2, plan),
            traffic(NumberedLongWords<126>.self, NumberedWords<1>.self, pageCount: 4, plan),
            traffic(NumberedWords<1>.self, NumberedLongWords<3>.self, pageCount: 8, large),
            traffic(NumberedLongWords<14>.self, NumberedLongWords<2>.self, pageCount: 16, large),
            traffic(NumberedLongWords<504>.self, NumberedWords<1>.self, pageCount: 1, plan),
            lateAnswer(plan),
        ]
    }

    private static func traffic<Request: TrafficMessage, Response: TrafficMessage>(
        _: Request.Type, _: Response.Type, pageCount: Int, _ plan: TrafficPlan
    ) -> RingCheck {
        let slot = max(MemoryLayout<Request>.stride, MemoryLayout<Response>.stride)
        let alignment = max(MemoryLayout<Request>.alignment, MemoryLayout<Response>.alignment)
        let slotByteCount = (slot + alignment - 1) / alignment * alignment
        let end = plan.start.advanced(by: UInt32(plan.total))
        let pages = pageCount == 1 ? "a page" : "\(pageCount) pages"
        return RingCheck(
            """
            requests of \(Request.byteCount) bytes and answers of \(Response.byteCount) pass through a ring of \
            \(pages), whole and once
            """,
            left: { half in
                let pages = try OfferedRing(half, pageCount: pageCount)
                // Safe: the ring is not used any more when its pages are closed.
                let ring = unsafe FrontRing<Request, Response>(
                    initializing: pages.memory, at: plan.start)
                var front = TrafficFront(ring, pages.bell, plan)
                try pages.announce()
                try front.run()
                try front.expectNothingMore()
                let report = RingEndReport(front.statistics, capacity: front.capacity, pages.bell)
                let back = try half.exchange(report)
                try expectSane(front: report, back: back, total: plan.total)
                try expectQuiet(
                    pages.bytes, slotByteCount: slotByteCount, slotCount: front.capacity, end: end)
                try pages.close()
            },
            right: { half in
                let pages = try AttachedRing(half)
                // Safe: as above.
                let ring = unsafe BackRing<Request, Response>(
                    attachingTo: pages.memory, at: plan.start)
                var back = TrafficBack(ring, pages.bell, plan)
                try back.run()
                try back.expectNothingMore()
                let report = RingEndReport(back.statistics, capacity: back.capacity, pages.bell)
                let front = try half.exchange(report)
                try expectSane(front: front, back: report, total: plan.total)
                try expectQuiet(
                    pages.bytes, slotByteCount: slotByteCount, slotCount: back.capacity, end: end)
                try pages.close()
            })
    }

    private static func lateAnswer(_ plan: TrafficPlan) -> RingCheck {
        var plan = plan
        plan.total = 5
        let seed = plan.seed
        return RingCheck(
            "a wait for an answer that is late ends at its deadline, and the next one finds it",
            left: { [plan] half in
                let pages = try OfferedRing(half, pageCount: 1)
                // Safe: the ring is not used any more when its pages are closed.
                var ring = unsafe FrontRing<NumberedWords<4>, NumberedWords<2>>(
                    initializing: pages.memory)
                for number in 0..<plan.total {
                    _ = ring.push(NumberedWords(traffic: UInt32(number), seed: seed))
                }
                try pages.announce()
                try pages.bell.notify(if: ring.publish())
                try half.meet("the back's taking the requests")
                try expect(try ring.next() == nil, "an answer that nobody gave")
                let deadline = Deadline.after(.milliseconds(100))
                try expect(try half.ring(until: deadline) == nil, "an event that nobody caused")
                try expect(deadline.hasPassed, "woken \(deadline.remaining) before the deadline")
                try half.meet("the back's answers")
                for number in 0..<plan.total {
                    var response = try ring.next()
                    while response == nil {
                        try pages.bell.sleep()
                        response = try ring.next()
                    }
                    try expect("an answer", response?.trafficNumber(seed: ~seed), is: number)
                }
                try half.meet("the back's end")
                try pages.close()
            },
            right: { [plan] half in
                let pages = try AttachedRing(half)
                // Safe: as above.
                var ring = unsafe BackRing<NumberedWords<4>, NumberedWords<2>>(
                    attachingTo: pages.memory)
                for number in 0..<plan.total {
                    var request = try ring.next()
                    while request == nil {
                        try pages.bell.sleep()
                        request = try ring.next()
                    }
                    try expect("a request", request?.trafficNumber(seed: seed), is: number)
                    ring.push(NumberedWords(traffic: UInt32(number), seed: ~seed))
                }
                try half.meet("the front's wait")
                try half.meet("the end of the front's wait")
                try pages.bell.notify(if: ring.publish())
                try half.meet("the front's end")
                try pages.close()
            })
    }
}
