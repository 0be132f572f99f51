import XenCore
import XenGrant
import XenRing

// A peer writes what no honest one does: a typed error, and again at each further call.
extension RingConformance {
    private typealias Front = FrontRing<NumberedWords<4>, NumberedWords<2>>
    private typealias Back = BackRing<NumberedWords<4>, NumberedWords<2>>

    static let refusals = [
        RingCheck(
            "a front that claims more requests than fit is refused, and the ring stays broken",
            left: { half in
                let pages = try OfferedRing(half, pageCount: 1)
                // Safe: the ring is not used any more when its pages are closed.
                let ring = unsafe Front(initializing: pages.memory)
                try pages.announce()
                try half.meet("the back's attaching")
                pages.share.store(littleEndian(UInt32(ring.capacity) + 1), at: 0)
                try pages.bell.notify()
                try half.meet("the back's refusal")
                try expectBeyondCapacity(pages.bytes, .messages(slotByteCount: 16))
                try pages.close()
            },
            right: { half in
                let pages = try AttachedRing(half)
                // Safe: as above.
                var ring = unsafe Back(attachingTo: pages.memory)
                try expect(try ring.next() == nil, "a request that nobody made")
                try half.meet("the front's claim")
                while true {
                    try pages.bell.sleep()
                    if (try? ring.hasRequests()) == nil { break }
                }
                for _ in 0..<2 {
                    try expectBroken(.request, .producer) { () throws(RingError) in
                        _ = try ring.next()
                    }
                }
                try half.meet("the front's end")
                try pages.close()
            }),
        RingCheck(
            "a back that answers what was never asked is refused, and the ring stays broken",
            left: { half in
                let pages = try OfferedRing(half, pageCount: 1)
                // Safe: the ring is not used any more when its pages are closed.
                var ring = unsafe Front(initializing: pages.memory)
                try pages.announce()
                try half.meet("the back's claim")
                for _ in 0..<2 {
                    try expectBroken(.response, .producer) { () throws(RingError) in
                        _ = try ring.next()
                    }
                }
                try half.meet("the back's end")
                try pages.close()
            },
            right: { half in
                let pages = try AttachedRing(half)
                pages.mapping.store(littleEndian(1), at: 8)
                try half.meet("the front's look")
                try half.meet("the front's refusal")
                try pages.close()
            }),
        RingCheck(
            "a server that has read what was never written is refused, and the ring stays broken",
            left: { half in
                let pages = try OfferedRing(half, pageCount: 1)
                // Safe: the end is not used any more when its pages are closed.
                var end = unsafe ByteRingEnd.xenstoreClient(pages.memory)
                try pages.announce()
                try half.meet("the server's claim")
                for _ in 0..<2 {
                    try expectBroken(.request, .consumer) { () throws(RingError) in
                        _ = try end.writer.room()
                    }
                }
                try expectBeyondCapacity(pages.bytes, .xenstore)
                try half.meet("the server's end")
                try pages.close()
            },
            right: { half in
                let pages = try AttachedRing(half)
                pages.mapping.store(littleEndian(1), at: 2048)
                try half.meet("the client's look")
                try half.meet("the client's refusal")
                try pages.close()
            }),
    ]

    private static func expectBroken(
        _ direction: RingDirection, _ peer: RingRole, _ action: () throws(RingError) -> Void
    ) throws {
        do {
            try action()
        } catch {
            try expect("the broken direction (\(error))", error.direction, is: direction)
            return try expect("whose index is wrong (\(error))", error.peer, is: peer)
        }
        throw ConformanceFailure("an impossible \(direction) index was believed")
    }

    private static func expectBeyondCapacity(_ page: [UInt8], _ kind: RingKind) throws {
        let codes = try RingInspection(page, kind: kind).findings.map(\.code)
        try expect("findings", codes.first, is: .beyondCapacity)
    }
}

/// The number as it lies in memory.
func littleEndian(_ number: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
}
