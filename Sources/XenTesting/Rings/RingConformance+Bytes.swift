import XenCore
import XenGrant
import XenRing

extension RingConformance {
    static func bytes(seed: UInt64) -> [RingCheck] {
        [xenstore(seed: seed, chunk: 200), xenstore(seed: seed, chunk: 1500)]
            + [
                flex(.ninePFS, order: 1, seed: seed), flex(.pvCalls, order: 2, seed: seed),
                flex(.ninePFS, order: 4, seed: seed), flex(.pvCalls, order: 9, seed: seed),
            ]
    }

    /// What both directions' bytes are.
    private static func contents(
        _ seed: UInt64
    ) -> (_ direction: RingDirection, _ position: Int, _ count: Int) -> [UInt8] {
        { direction, position, count in
            NumberedBytes.bytes(
                at: position, count: count, seed: direction == .request ? seed : ~seed)
        }
    }

    private static func xenstore(seed: UInt64, chunk: Int) -> RingCheck {
        let plan = TrafficPlan(
            total: 20_000, batch: chunk, seed: seed, start: RingIndex(.max - 5000))
        return RingCheck(
            "bytes pass through a xenstore page both ways at once, in chunks of up to \(chunk)",
            left: { half in
                let pages = try OfferedRing(half, pageCount: 1)
                let start = littleEndian(plan.start.rawValue)
                for place in 0..<4 { pages.share.store(start, at: 2048 + 4 * place) }
                try pages.announce()
                // Safe: the end is not used any more when its pages are closed.
                let end = unsafe ByteRingEnd.xenstoreClient(pages.memory)
                try run(end, sends: .request, pages.bell, plan)
                try half.meet("the end of the server's traffic")
                try expectEmpty(pages.bytes, .xenstore, plan)
                try pages.close()
            },
            right: { half in
                let pages = try AttachedRing(half)
                // Safe: as above.
                let end = unsafe ByteRingEnd.xenstoreServer(pages.memory)
                try run(end, sends: .response, pages.bell, plan)
                try half.meet("the end of the client's traffic")
                try expectEmpty(pages.bytes, .xenstore, plan)
                try pages.close()
            })
    }

    /// Each direction carries a little more than twice what it holds, but of large rings a little more than once.
    private static func flex(_ kind: FlexInterface.Kind, order: Int, seed: UInt64) -> RingCheck {
        let capacity = 1 << (order + 11)
        let plan = TrafficPlan(
            total: capacity * (order > 4 ? 1 : 2) + 3000, batch: min(capacity * 2, 20_000),
            seed: seed, start: RingIndex(.max - UInt32(capacity / 2)))
        return RingCheck(
            "bytes pass through a \(kind) ring of order \(order) both ways at once",
            left: { half in
                let rings = try OfferedFlexRings(half, kind, order: order, at: plan.start)
                try run(rings.end(), sends: .request, rings.bell, plan)
                try half.meet("the end of the back's traffic")
                try expectEmpty(rings.bytes, kind.ringKind, plan)
                try rings.close()
            },
            right: { half in
                let rings = try AttachedFlexRings(half, kind)
                try run(rings.end(), sends: .response, rings.bell, plan)
                try half.meet("the end of the front's traffic")
                try expectEmpty(rings.bytes, kind.ringKind, plan)
                try rings.close()
            })
    }

    private static func run(
        _ end: consuming ByteRingEnd, sends: RingDirection, _ bell: RingBell, _ plan: TrafficPlan
    ) throws {
        var stream = TrafficStream(
            end, sends: sends, bell, plan, contents: contents(plan.seed))
        try stream.run()
    }

    /// Expects the page to say that all bytes have passed and none waits, and nothing that cannot be.
    private static func expectEmpty(_ page: [UInt8], _ kind: RingKind, _ plan: TrafficPlan) throws {
        let inspection = try expectSound(page, kind)
        guard case .bytes(let report) = inspection.content else {
            throw ConformanceFailure("the page was not taken for one of bytes")
        }
        try expect("directions", report.lanes.count, is: 2)
        for lane in report.lanes {
            try expect("bytes waiting in \(lane.name)", lane.waitingByteCount, is: 0)
            try expect(
                "bytes through \(lane.name)", Int(lane.producer.distance(from: plan.start)),
                is: plan.total)
        }
    }
}
