import XenCore
import XenGrant

extension GrantConformance {
    static let copies = [
        ConformanceCheck("a copy reads a range of a granted page, and nothing around it") { host in
            let share = try host.left.grants.share(pageCount: 2, with: host.right.domain)
            let page = pattern(17, byteCount: 2 * Page.byteCount)
            try host.left.store(page, at: 0, of: share)
            // The local bytes start in one page and end in another.
            let place = Page.byteCount - 5
            try host.right.withPrivateMemory(byteCount: 3 * Page.byteCount) { memory in
                for (offset, count) in [(0, 1), (100, 300), (4095, 1), (0, 4096)] {
                    try host.right.zero(memory)
                    let from = GrantLocation(
                        share.references[1], of: host.left.domain, offset: offset)
                    try expectDone(
                        host.right,
                        [.read(from, into: memory.slice(offset: place, byteCount: count))])
                    var expected = [UInt8](repeating: 0, count: memory.byteCount)
                    let source = Page.byteCount + offset
                    expected.replaceSubrange(
                        place..<place + count, with: page[source..<source + count])
                    try expectBytes(
                        "\(count) bytes from \(offset)", host.right.allBytes(of: memory), expected)
                }
            }
            try share.close()
        },
        ConformanceCheck("a copy writes a range of a granted page, and nothing around it") { host in
            let share = try host.left.grants.share(pageCount: 2, with: host.right.domain)
            let source = pattern(29, byteCount: 2 * Page.byteCount)
            try host.right.withPrivateMemory(byteCount: source.count) { memory in
                try host.right.store(source, at: 0, of: memory)
                let place = Page.byteCount - 5
                for (offset, count) in [(0, 1), (100, 300), (4095, 1), (0, 4096)] {
                    try host.left.store(
                        [UInt8](repeating: 0, count: share.byteCount), at: 0, of: share)
                    let to = GrantLocation(
                        share.references[1], of: host.left.domain, offset: offset)
                    try expectDone(
                        host.right, [.write(memory.slice(offset: place, byteCount: count), to: to)])
                    var expected = [UInt8](repeating: 0, count: 2 * Page.byteCount)
                    let start = Page.byteCount + offset
                    expected.replaceSubrange(
                        start..<start + count, with: source[place..<place + count])
                    let found = try host.left.bytes(at: 0, count: share.byteCount, of: share)
                    try expectBytes("\(count) bytes to \(offset)", found, expected)
                }
                try expectBytes("the source", host.right.allBytes(of: memory), source)
            }
            try share.close()
        },
        ConformanceCheck("a copy goes from one granted page to another") { host in
            let share = try host.left.grants.share(pageCount: 2, with: host.right.domain)
            let bytes = pattern(5, byteCount: 40)
            try host.left.store(bytes, at: 50, of: share)
            let from = GrantLocation(share.references[0], of: host.left.domain, offset: 50)
            let to = GrantLocation(share.references[1], of: host.left.domain, offset: 4056)
            try expectDone(host.right, [.relay(from, to: to, byteCount: 40)])
            let last = try host.left.bytes(at: 2 * Page.byteCount - 41, count: 41, of: share)
            try expect("the other page's last 41 bytes", last, is: [0] + bytes)
            try share.close()
        },
        ConformanceCheck("a read-only grant is copied from, and never to") { host in
            let share = try host.left.grants.share(
                pageCount: 1, with: host.right.domain, access: .readOnly)
            try host.left.store([1, 2, 3], at: 0, of: share)
            let place = GrantLocation(share.references[0], of: host.left.domain)
            try host.right.withPrivateMemory(byteCount: 3) { memory in
                try expectDone(host.right, [.read(place, into: memory)])
                try expect("what was read", host.right.allBytes(of: memory), is: [1, 2, 3])
                try host.right.store([7, 7, 7], at: 0, of: memory)
                try expectFailures(host.right, [.write(memory, to: place)], at: [0])
            }
            let bytes = try host.left.bytes(at: 0, count: 3, of: share)
            try expect("the read-only bytes", bytes, is: [1, 2, 3])
            try share.close()
        },
        ConformanceCheck("each segment of a copy succeeds or fails by itself") { host in
            let share = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            try host.left.store(pattern(3, byteCount: 16), at: 0, of: share)
            let strange = try host.left.grants.share(pageCount: 1, with: host.stranger)
            let gone = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            let revoked = gone.references[0]
            try gone.close()

            let good = GrantLocation(share.references[0], of: host.left.domain)
            let bad = [
                GrantLocation(GrantReference(.max), of: host.left.domain),
                GrantLocation(GrantReference(1 << 20), of: host.left.domain),
                GrantLocation(strange.references[0], of: host.left.domain),
                GrantLocation(revoked, of: host.left.domain),
                GrantLocation(share.references[0], of: host.stranger),
            ]
            let places = [good] + bad.flatMap { [$0, good] }
            let failing = bad.indices.map { 2 * $0 + 1 }
            try host.right.withPrivateMemory(byteCount: places.count) { memory in
                let reads = places.enumerated().map { index, place in
                    var place = place
                    place.offset = index
                    return GrantCopySegment.read(
                        place, into: memory.slice(offset: index, byteCount: 1))
                }
                try expectFailures(host.right, reads, at: failing)
                let expected = pattern(3, byteCount: places.count).enumerated().map {
                    failing.contains($0) ? 0 : $1
                }
                try expect("what was read", host.right.allBytes(of: memory), is: expected)
                try expectFailures(
                    host.right, reads.map(\.writtenBack), at: failing)
            }
            try strange.close()
            try share.close()
        },
        ConformanceCheck("a range that leaves its page fails alone, and the back end refuses it") {
            host in
            let share = try host.left.grants.share(pageCount: 2, with: host.right.domain)
            try host.left.store([UInt8](repeating: 1, count: share.byteCount), at: 0, of: share)
            let reference = share.references[0]
            let backend = host.right.grantBackend
            try host.right.withPrivateMemory(byteCount: 2 * Page.byteCount) { memory in
                for (offset, count) in [(4096, 1), (4095, 2), (1, 4096), (0, 4097), (1 << 40, 1)] {
                    let place = GrantLocation(reference, of: host.left.domain, offset: offset)
                    let bad = GrantCopySegment.read(
                        place, into: memory.slice(offset: 0, byteCount: count))
                    try expectRefusal(of: "\(count) bytes from \(offset)", as: .refused) {
                        () throws(GrantError) in _ = try backend.copy([bad])
                    }
                    try expect(
                        "bytes copied", host.right.allBytes(of: memory).count { $0 != 0 }, is: 0)
                    let good = GrantCopySegment.read(
                        GrantLocation(reference, of: host.left.domain),
                        into: memory.slice(offset: 8191, byteCount: 1))
                    try expectFailures(host.right, [bad, good], at: [0])
                    try expect(
                        "bytes copied", host.right.allBytes(of: memory).count { $0 != 0 }, is: 1)
                    try host.right.zero(memory)
                }
            }
            try share.close()
        },
        ConformanceCheck("a thousand segments are copied in order") { host in
            let share = try host.left.grants.share(pageCount: 4, with: host.right.domain)
            let bytes = pattern(11, byteCount: 4 * Page.byteCount)
            try host.left.store(bytes, at: 0, of: share)
            try host.right.withPrivateMemory(byteCount: 1000) { memory in
                let places = (0..<1000).map { ($0 % 4, $0 * 4 % Page.byteCount) }
                let reads = places.enumerated().map { index, place in
                    GrantCopySegment.read(
                        GrantLocation(
                            share.references[place.0], of: host.left.domain, offset: place.1),
                        into: memory.slice(offset: index, byteCount: 1))
                }
                try expectDone(host.right, reads)
                let expected = places.map { bytes[$0 * Page.byteCount + $1] }
                try expectBytes("a byte a segment", host.right.allBytes(of: memory), expected)
            }
            try share.close()
        },
        ConformanceCheck("a copy into memory of ours that may not be written is refused") { host in
            let share = try host.left.grants.share(pageCount: 2, with: host.right.domain)
            try host.left.store([9], at: 0, of: share)
            let mapping = try host.right.grants.map(
                [share.references[1]], of: host.left.domain, access: .readOnly)
            let place = GrantLocation(share.references[0], of: host.left.domain)
            try expectRefusal(of: "a copy into read-only memory", as: .refused) {
                () throws(GrantError) in
                // Safe: the mapping outlives the copy, which is to be refused.
                let memory = unsafe mapping.memory
                _ = try host.right.grants.copy([.read(place, into: memory)], until: patience)
            }
            try mapping.close()
            let byte = try host.left.bytes(at: Page.byteCount, count: 1, of: share)
            try expect("the byte that may not be written", byte, is: [0])
            try share.close()
        },
    ]

    private static func expectDone(
        _ party: ConformanceParty, _ segments: [GrantCopySegment]
    ) throws {
        try expectFailures(party, segments, at: [])
    }

    private static func expectFailures(
        _ party: ConformanceParty, _ segments: [GrantCopySegment], at indices: [Int]
    ) throws {
        let statuses = try party.grants.copy(segments, until: patience)
        try expect("statuses of \(segments.count) segments", statuses.count, is: segments.count)
        try expect("failed segments (\(statuses))", statuses.failedIndices, is: indices)
    }

    /// For long arrays: says where they differ first.
    private static func expectBytes(_ what: String, _ found: [UInt8], _ expected: [UInt8]) throws {
        try expect("the size of \(what)", found.count, is: expected.count)
        let difference = found.indices.first { found[$0] != expected[$0] }
        try expect("the first wrong byte of \(what)", difference, is: nil)
    }

    /// Bytes that differ from their neighbours and are never zero.
    private static func pattern(_ seed: Int, byteCount: Int) -> [UInt8] {
        (0..<byteCount).map { UInt8(($0 &* 7 &+ $0 / 255 &+ seed) % 255 + 1) }
    }
}

extension GrantCopySegment {
    /// A read, the other way round.
    fileprivate var writtenBack: GrantCopySegment {
        guard case .read(let location, let memory) = self else { return self }
        return .write(memory, to: location)
    }
}
