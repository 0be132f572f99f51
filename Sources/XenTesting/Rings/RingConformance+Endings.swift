import XenCore
import XenRing

// One half goes while there is traffic.
extension RingConformance {
    private typealias Front = TrafficFront<NumberedLongWords<14>, NumberedLongWords<2>, RingBell>
    private typealias Back = TrafficBack<NumberedLongWords<14>, NumberedLongWords<2>, RingBell>

    /// Where the half that goes does so, and what it has taken and not answered by then.
    private static func stop(_ plan: TrafficPlan) -> (after: Int, unanswered: Int) {
        (plan.total / 2, 10)
    }

    static func endings(_ plan: TrafficPlan) -> [RingCheck] {
        var plan = plan
        // So many that they do not all fit into the ring when one half goes.
        plan.total = max(plan.total, 200)
        return [backGoes(plan), frontGoes(plan), takeover(plan)]
    }

    private static func backGoes(_ plan: TrafficPlan) -> RingCheck {
        RingCheck(
            "when the back lets go in mid-traffic, the front's wait ends with that",
            left: { half in
                let pages = try OfferedRing(half, pageCount: 1)
                // Safe: the ring is not used any more when its pages are closed.
                var front = unsafe Front(
                    FrontRing(initializing: pages.memory, at: plan.start), pages.bell, plan)
                try pages.announce()
                try expectGone { try front.run() }
                // What the back answered before it went is there.
                try front.takeAnswers()
                let (after, unanswered) = stop(plan)
                try expect("answers", front.answeredCount, is: after - unanswered)
                try expect(
                    front.inFlightCount >= unanswered,
                    "in flight: \(front.inFlightCount), but \(unanswered) were taken only")
                try expectSound(pages.bytes, .messages(slotByteCount: 112))
                try pages.close()
            },
            right: { half in
                let pages = try AttachedRing(half)
                // Safe: as above.
                var back = unsafe Back(
                    BackRing(attachingTo: pages.memory, at: plan.start), pages.bell, plan)
                let (after, unanswered) = stop(plan)
                try back.runAndStop(after: after, leavingUnanswered: unanswered)
                try pages.close()
            })
    }

    private static func frontGoes(_ plan: TrafficPlan) -> RingCheck {
        RingCheck(
            "when the front goes in mid-traffic, the back's wait ends with that",
            left: { half in
                let pages = try OfferedRing(half, pageCount: 1)
                // Safe: the ring is not used any more when its pages are closed.
                var front = unsafe Front(
                    FrontRing(initializing: pages.memory, at: plan.start), pages.bell, plan)
                try pages.announce()
                try front.run(until: stop(plan).after)
                try pages.sayGoodbye()
                try pages.close()
            },
            right: { half in
                let pages = try AttachedRing(half)
                // Safe: as above.
                var back = unsafe Back(
                    BackRing(attachingTo: pages.memory, at: plan.start), pages.bell, plan)
                try expectGone { try back.run() }
                try expect(
                    back.statistics.requestCount >= stop(plan).after,
                    "the back has only seen \(back.statistics.requestCount) requests")
                try expectSound(pages.bytes, .messages(slotByteCount: 112))
                try pages.close()
            })
    }

    private static func takeover(_ plan: TrafficPlan) -> RingCheck {
        RingCheck(
            "a back that takes a ring over answers what the one before has left, and each request once",
            left: { half in
                let pages = try OfferedRing(half, pageCount: 1)
                // Safe: the ring is not used any more when its pages are closed.
                var front = unsafe Front(
                    FrontRing(initializing: pages.memory, at: plan.start), pages.bell, plan)
                try pages.announce()
                try expectGone { try front.run() }
                // Its byte was cleared by the back that went.
                pages.comeToLife()
                try pages.announce()
                try front.run()
                try front.expectNothingMore()
                try half.meet("the back's end of traffic")
                try expectQuiet(
                    pages.bytes, slotByteCount: 112, slotCount: front.capacity,
                    end: plan.start.advanced(by: UInt32(plan.total)))
                try pages.close()
            },
            right: { half in
                let (after, unanswered) = stop(plan)
                let first = try AttachedRing(half)
                do {
                    // Safe: the ring is gone when its pages are closed.
                    var back = unsafe Back(
                        BackRing(attachingTo: first.memory, at: plan.start), first.bell, plan)
                    try back.runAndStop(after: after, leavingUnanswered: unanswered)
                }
                try first.leave()
                let second = try AttachedRing(half)
                // Safe: as above.
                var back = try unsafe Back(
                    BackRing(takingOver: second.memory), second.bell, plan,
                    answeredCount: after - unanswered)
                try back.run()
                try back.expectNothingMore()
                try half.meet("the front's end of traffic")
                try second.close()
            })
    }
}

/// Expects the traffic to end with the peer's letting go.
func expectGone(_ traffic: () throws -> Void) throws {
    do {
        try traffic()
    } catch is PeerIsGone {
        return
    }
    throw ConformanceFailure("the traffic ended as if the peer had not gone")
}
