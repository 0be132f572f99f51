import XenCore
import XenRing

extension Row {
    static var xenstoreRing: Row {
        Row(
            name: "xsring",
            summary:
                "both ends of a xenstore page in one thread: round trips of 16+40 and 16+8 bytes, "
                + "and a stream by the KiB around the ring's end",
            contests: {
                [notificationContest(), roundTripContest(), streamContest()]
            })
    }
}

private func notificationContest() -> Contest {
    Contest(
        name: "notifications",
        measure: .count(of: "notifications", per: "round trip", in: 10_000),
        ours: Contender { total in
            var notifications: UInt64 = 0
            let sum = try withRingMemory { try carry(total, through: $0, &notifications) }
            return Outcome(sum: sum, amount: Double(notifications))
        },
        peers: [.fixed(2, "one a message", bar: .equal)] + XenstoreTwin.notifications)
}

private func roundTripContest() -> Contest {
    Contest(
        name: "56 and 24 bytes", measure: .time(per: "round trip"),
        ours: Contender { total in
            var notifications: UInt64 = 0
            return Outcome(
                sum: try withRingMemory { try carry(total, through: $0, &notifications) })
        },
        peers: XenstoreTwin.roundTrips)
}

private func streamContest() -> Contest {
    Contest(
        name: "stream", measure: .time(per: "KiB"),
        ours: Contender { total in
            Outcome(sum: try withRingMemory { try stream(total, through: $0) })
        },
        peers: XenstoreTwin.stream)
}

/// A client that asks and a server that answers with what it got.
private func carry(
    _ total: UInt64, through page: SharedMemory, _ notifications: inout UInt64
) throws(RingError) -> UInt64 {
    page.zero()
    var client = ByteRingEnd.xenstoreClient(page)
    var server = ByteRingEnd.xenstoreServer(page)
    var header = [UInt8](repeating: 0, count: 16)
    var body = [UInt8](repeating: 0, count: 40)
    var answer = [UInt8](repeating: 0, count: 8)
    let (gotHeader, gotBody) = (Taken(byteCount: 16), Taken(byteCount: 40))
    defer {
        gotHeader.free()
        gotBody.free()
    }
    var sum: UInt64 = 0
    for number in 0..<total {
        header.store(number, at: 0)
        body.store(number, at: 32)
        _ = try client.writer.stage(header.span)
        _ = try client.writer.stage(body.span)
        if try client.writer.publish() == .required { notifications &+= 1 }

        try server.reader.take(16, to: gotHeader)
        try server.reader.take(40, to: gotBody)
        if try server.reader.commit() == .required { notifications &+= 1 }
        let asked = gotHeader.word(at: 0)
        sum &+= asked &+ gotBody.word(at: 32)

        answer.store(asked, at: 0)
        // Safe: nothing is taken into these bytes meanwhile.
        _ = try server.writer.stage(unsafe gotHeader.bytes.span)
        _ = try server.writer.stage(answer.span)
        if try server.writer.publish() == .required { notifications &+= 1 }

        try client.reader.take(16, to: gotHeader)
        try client.reader.take(8, to: gotBody)
        if try client.reader.commit() == .required { notifications &+= 1 }
        sum &+= gotHeader.word(at: 0) &+ gotBody.word(at: 0)
    }
    return sum
}

private func stream(_ total: UInt64, through page: SharedMemory) throws(RingError) -> UInt64 {
    page.zero()
    for offset in [2048, 2052] { page.store([100, 0, 0, 0], at: offset) }
    var client = ByteRingEnd.xenstoreClient(page)
    var server = ByteRingEnd.xenstoreServer(page)
    var bytes = [UInt8](repeating: 0, count: 1024)
    let got = Taken(byteCount: 1024)
    defer { got.free() }
    var sum: UInt64 = 0
    for number in 0..<total {
        bytes.store(number, at: 0)
        _ = try client.writer.write(bytes.span)
        try server.reader.take(1024, to: got)
        _ = try server.reader.commit()
        sum &+= got.word(at: 0)
    }
    return sum
}

/// Private bytes that a reader's are taken into, as the twin's local arrays.
@safe
private struct Taken {
    let bytes: UnsafeMutableBufferPointer<UInt8>

    init(byteCount: Int) {
        unsafe bytes = .allocate(capacity: byteCount)
        unsafe bytes.initialize(repeating: 0)
    }

    func free() { unsafe bytes.deallocate() }

    func word(at offset: Int) -> UInt64 {
        // Safe: all of the bytes were initialized, and the place lies within them, or this traps.
        unsafe UnsafeRawBufferPointer(bytes).loadUnaligned(
            fromByteOffset: offset, as: UInt64.self)
    }
}

extension ByteRing.Reader {
    /// Takes as much as was just written.
    fileprivate mutating func take(_ count: Int, to taken: Taken) throws(RingError) {
        // Safe: the span is gone before anyone else uses the bytes.
        var output = unsafe OutputSpan(
            buffer: UnsafeMutableBufferPointer(rebasing: taken.bytes[..<count]),
            initializedCount: 0)
        try take(appendingTo: &output)
        _ = unsafe output.finalize(
            for: UnsafeMutableBufferPointer(rebasing: taken.bytes[..<count]))
    }
}

extension [UInt8] {
    fileprivate mutating func store(_ number: UInt64, at offset: Int) {
        // Safe: the array has these eight bytes, or this traps.
        unsafe withUnsafeMutableBytes {
            unsafe $0.storeBytes(of: number, toByteOffset: offset, as: UInt64.self)
        }
    }
}
