import XenCore
import XenRing

// The end of a stream of bytes: all that was written before it is read.
extension RingConformance {
    static let byteEnds = [
        RingCheck(
            "what a server writes before it lets go of a xenstore page is all read",
            left: { half in
                let pages = try OfferedRing(half, pageCount: 1)
                try pages.announce()
                // Safe: the end is not used any more when its pages are closed.
                var end = unsafe ByteRingEnd.xenstoreClient(pages.memory)
                try expectGone { while true { try pages.bell.sleep() } }
                try expectLastBytes(of: &end, count: 1000)
                try pages.close()
            },
            right: { half in
                let pages = try AttachedRing(half)
                do {
                    // Safe: the end is gone when its pages are closed.
                    var end = unsafe ByteRingEnd.xenstoreServer(pages.memory)
                    try writeLastBytes(to: &end, count: 1000, pages.bell)
                }
                try pages.close()
            }),
        RingCheck(
            "what a back writes before it lets go of a 9pfs ring is all read",
            left: { half in
                let rings = try OfferedFlexRings(half, .ninePFS, order: 1)
                var end = rings.end()
                try expectGone { while true { try rings.bell.sleep() } }
                try expectLastBytes(of: &end, count: 4096)
                try rings.close()
            },
            right: { half in
                let rings = try AttachedFlexRings(half, .ninePFS)
                do {
                    var end = rings.end()
                    try writeLastBytes(to: &end, count: 4096, rings.bell)
                }
                try rings.close()
            }),
        RingCheck(
            "what a front writes before it goes from a 9pfs ring is all read",
            left: { half in
                let rings = try OfferedFlexRings(half, .ninePFS, order: 1)
                do {
                    var end = rings.end()
                    try writeLastBytes(to: &end, count: 4096, rings.bell)
                }
                try rings.sayGoodbye()
                try rings.close()
            },
            right: { half in
                let rings = try AttachedFlexRings(half, .ninePFS)
                var end = rings.end()
                try expectGone { while true { try rings.bell.sleep() } }
                try expectLastBytes(of: &end, count: 4096)
                try rings.close()
            }),
        RingCheck(
            "a pvcalls back ends either direction, each after its last byte",
            left: { half in
                let rings = try OfferedFlexRings(half, .pvCalls, order: 1)
                var end = rings.end()
                try expect("the end at the beginning", end.writer.ending(), is: nil)
                let bytes = try rest(of: &end, rings.bell)
                try expect("the last bytes", bytes, is: lastBytes(10_000))
                try expect("the end of what we read", try end.reader.ending(), is: -107)
                try expect("the end of what we write", end.writer.ending(), is: -32)
                let inspection = try RingInspection(rings.bytes, kind: .pvCalls)
                let codes = inspection.findings.map(\.code)
                try expect("findings", codes, is: [.reportedError, .reportedError])
                try half.meet("the back's end of traffic")
                try rings.close()
            },
            right: { half in
                let rings = try AttachedFlexRings(half, .pvCalls)
                var end = rings.end()
                let bytes = lastBytes(10_000)
                var count = 0
                while count < bytes.count {
                    count += try end.writer.stage(bytes.span.extracting(droppingFirst: count))
                    try rings.bell.notify(if: end.writer.publish())
                    if count < bytes.count { try rings.bell.sleep() }
                }
                try rings.bell.notify(if: end.reader.end(with: -32))
                try rings.bell.notify(if: end.writer.end(with: -107))
                try half.meet("the front's end of traffic")
                try rings.close()
            }),
    ]

    private static func lastBytes(_ count: Int) -> [UInt8] {
        NumberedBytes.bytes(at: 0, count: count, seed: 0)
    }

    private static func writeLastBytes(
        to end: inout ByteRingEnd, count: Int, _ bell: RingBell
    ) throws {
        let transfer = try end.writer.write(lastBytes(count).span)
        try expect("bytes that fit", transfer.byteCount, is: count)
        try bell.notify(if: transfer.notification)
    }

    private static func expectLastBytes(of end: inout ByteRingEnd, count: Int) throws {
        var bytes: [UInt8] = []
        while try end.reader.available() > 0 { try end.reader.take(appendingTo: &bytes) }
        try expect("the last bytes", bytes, is: lastBytes(count))
        _ = try end.reader.commit()
    }

    /// All bytes up to the end that the back tells of.
    private static func rest(of end: inout ByteRingEnd, _ bell: RingBell) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            while try end.reader.available() > 0 { try end.reader.take(appendingTo: &bytes) }
            try bell.notify(if: end.reader.commit())
            if try end.reader.ending() != nil { return bytes }
            if try end.reader.available() == 0 { try bell.sleep() }
        }
    }
}
