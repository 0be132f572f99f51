import DeviceStage
import BlockDevice
import Testing
import XenCore
import XenGrant
import XenMock

@Suite("Both ends of a block device", .timeLimit(.minutes(1)))
struct TransferTests {
    @Test("reads give what the disk has, to its last sector")
    func reads() async throws {
        let scene = try await Scene()
        let disk = MemoryDisk(sectorCount: 1001)
        let back = try BackendLife(scene, disk)
        let front = try FrontendLife(scene)
        #expect(try await front.disk.geometry().sectorCount == 1001)
        for (sector, count) in [(0, 1), (0, 88), (3, 7), (5, 9), (913, 88), (1000, 1)] {
            let bytes = try await front.disk.read(sector: UInt64(sector), count: count)
            #expect(bytes == MemoryDisk.pattern(sector: sector, count: count, salt: 0))
        }
        for (sector, count) in [(1001, 1), (914, 88), (Int.max, 1)] {
            let error = await #expect(throws: BlockError.self) {
                try await front.disk.read(sector: UInt64(sector), count: count)
            }
            #expect(error?.code == .failed)
        }
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("64 tasks write, read back, flush and discard at a time")
    func concurrent() async throws {
        let scene = try await Scene()
        let disk = MemoryDisk(sectorCount: 64 * 100)
        let back = try BackendLife(scene, disk)
        let front = try FrontendLife(scene)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<64 {
                group.addTask {
                    let count = 1 + (task * 37) % 88
                    let data = MemoryDisk.pattern(sector: task * 100, count: count, salt: 77)
                    try await front.disk.write(sector: UInt64(task * 100), data)
                    #expect(
                        try await front.disk.read(sector: UInt64(task * 100), count: count) == data)
                    try await front.disk.flush()
                    try await front.disk.discard(sector: UInt64(task * 100 + 88), count: 12)
                }
            }
            try await group.waitForAll()
        }
        var expected = MemoryDisk.pattern(sector: 0, count: 6400, salt: 0)
        for task in 0..<64 {
            let count = 1 + (task * 37) % 88
            expected.replaceSubrange(
                task * 51200..<task * 51200 + count * 512,
                with: MemoryDisk.pattern(sector: task * 100, count: count, salt: 77))
            for byte in (task * 100 + 88) * 512..<(task * 100 + 100) * 512 { expected[byte] = 0 }
        }
        #expect(disk.content == expected)
        #expect(disk.flushCount == 64)
        #expect(front.disk.statistics.requestCount == 256)
        try await front.close()
        try await back.close()
        #expect(back.backend.statistics.requestCount == 256)
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("the whole device is read in pieces, each once")
    func readAll() async throws {
        let scene = try await Scene()
        let disk = MemoryDisk(sectorCount: 5003)
        let back = try BackendLife(scene, disk)
        let front = try FrontendLife(scene)
        var copy = [UInt8](repeating: 0, count: 5003 * 512)
        var byteCount = 0
        try await front.disk.readAll { bytes, offset in
            copy.replaceSubrange(Int(offset)..<Int(offset) + bytes.count, with: bytes)
            byteCount += bytes.count
        }
        #expect(byteCount == copy.count)
        #expect(copy == disk.content)
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("a device is written in pieces, durably, and no further than asked")
    func writeAll() async throws {
        let scene = try await Scene()
        let disk = MemoryDisk(sectorCount: 5003)
        let back = try BackendLife(scene, disk)
        let front = try FrontendLife(scene)
        let source = MemoryDisk.pattern(sector: 0, count: 4000, salt: 5)
        try await front.disk.writeAll(sectorCount: 4000) { offset, count in
            Array(source[Int(offset)..<Int(offset) + count])
        }
        #expect(disk.content == source + MemoryDisk.pattern(sector: 4000, count: 1003, salt: 0))
        #expect(disk.flushCount == 1)
        let error = await #expect(throws: BlockError.self) {
            try await front.disk.writeAll(sectorCount: 5004) { _, count in
                [UInt8](repeating: 0, count: count)
            }
        }
        #expect(error?.code == .failed)
        #expect(disk.flushCount == 1)
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("a read-only disk refuses writes, and says so beforehand")
    func readOnly() async throws {
        let scene = try await Scene()
        let disk = MemoryDisk(sectorCount: 8, isReadOnly: true)
        let back = try BackendLife(scene, disk)
        let front = try FrontendLife(scene)
        #expect(try await front.disk.geometry().isReadOnly)
        await #expect(throws: BlockError.self) {
            try await front.disk.write(sector: 0, [UInt8](repeating: 1, count: 512))
        }
        await #expect(throws: BlockError.self) { try await front.disk.discard(sector: 0, count: 1) }
        #expect(disk.content == MemoryDisk.pattern(sector: 0, count: 8, salt: 0))
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("a disk that cannot discard says so, and has failed at nothing else")
    func withoutDiscard() async throws {
        let scene = try await Scene()
        let back = try BackendLife(scene, MemoryDisk(sectorCount: 8, canDiscard: false))
        let front = try FrontendLife(scene)
        _ = try await front.disk.geometry()
        let error = await #expect(throws: BlockError.self) {
            try await front.disk.discard(sector: 0, count: 1)
        }
        #expect(error?.code == .notSupported)
        #expect(try await front.disk.read(sector: 0, count: 1).count == 512)
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("a full ring of the largest requests maps each page once")
    func persistentPagesStayMapped() async throws {
        let scene = try await Scene()
        let disk = MemoryDisk(sectorCount: 88 * 64)
        let counter = CountingGrants.Counter()
        let back = try BackendLife(scene, disk) { CountingGrants($0, counter) }
        let front = try FrontendLife(scene)
        for _ in 0..<3 {
            // More than 32 at a time, held up until the ring is full, so that all slots' pages are used.
            let before = front.disk.statistics.requestCount
            disk.freeze()
            async let all: Void = front.disk.readAll { _, _ in }
            try await eventually("a full ring") {
                front.disk.statistics.requestCount >= before + 32
            }
            disk.thaw()
            try await all
        }
        // The ring's page, and 11 for each of 32 slots.
        #expect(counter.mapCount <= 1 + 352)
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("a frontend without persistent grants is served, 11 pages a request")
    func notPersistent() async throws {
        let scene = try await Scene()
        let disk = MemoryDisk(sectorCount: 200)
        let back = try BackendLife(scene, disk)
        let front = try HandmadeFrontend(scene)
        try await front.connect()
        #expect(try await front.status(of: front.request(.read, id: 7, pageCount: 11)) == .okay)
        let bytes = front.dataShare.bytes(at: 0, count: 88 * 512)
        #expect(bytes == MemoryDisk.pattern(sector: 0, count: 88, salt: 0))
        #expect(
            try await front.status(of: front.request(.write, id: 8, sector: 100, pageCount: 11))
                == .okay)
        #expect(disk.content[51200..<51200 + 88 * 512].elementsEqual(bytes))
        // Three sectors from the middle of a page.
        var request = front.request(.read, id: 9, sector: 20)
        request.segments[0].firstSector = 2
        request.segments[0].lastSector = 4
        #expect(try await front.status(of: request) == .okay)
        #expect(
            front.dataShare.bytes(at: 1024, count: 1536)
                == MemoryDisk.pattern(sector: 20, count: 3, salt: 0))
        // Nothing is kept mapped between requests but the ring.
        let mapped = scene.hypervisor.leaks().count {
            if case .mapping(_) = $0.kind { true } else { false }
        }
        #expect(mapped == 1)
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }
}
