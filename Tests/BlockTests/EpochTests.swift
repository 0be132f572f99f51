import DeviceStage
import BlockDevice
import Testing
import XenBus
import XenCore
import XenGrant
import XenMock
import XenStoreClient

@Suite("A block device through deaths and restarts", .timeLimit(.minutes(1)))
struct EpochTests {
    @Test("what a killed backend left unanswered, the next one answers")
    func killed() async throws {
        let scene = try await Scene()
        let disk = MemoryDisk(sectorCount: 100 * 64)
        let first = try BackendLife(scene, disk)
        let front = try FrontendLife(scene)
        _ = try await front.disk.geometry()
        disk.freeze()
        async let copy: Void = front.disk.readAll { bytes, offset in
            let sector = Int(offset) / 512
            #expect(
                bytes == MemoryDisk.pattern(sector: sector, count: bytes.count / 512, salt: 0))
        }
        async let write: Void = front.disk.write(
            sector: 0, MemoryDisk.pattern(sector: 0, count: 2, salt: 0))
        try await eventually("a request to hang") { disk.stuckCount > 0 }
        first.end()
        let second = try BackendLife(scene, MemoryDisk(sectorCount: 100 * 64))
        try await copy
        try await write
        #expect(front.disk.statistics.reissuedCount > 0)
        #expect(front.disk.statistics.epochCount == 2)
        disk.thaw()
        _ = await first.running.result
        try await front.close()
        try await second.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("a backend that wakes up late changes nothing, and lets go of its pages")
    func lateAnswers() async throws {
        let scene = try await Scene()
        let old = MemoryDisk(sectorCount: 1000)
        let first = try BackendLife(scene, old)
        let front = try FrontendLife(scene)
        _ = try await front.disk.read(sector: 0, count: 1)
        old.freeze()
        let held = Task { try await front.disk.read(sector: 9, count: 2) }
        try await eventually("the request to hang") { old.stuckCount == 1 }
        let before = references(scene)
        first.store.close()
        let second = try BackendLife(scene, MemoryDisk(sectorCount: 1000))
        #expect(try await held.value == MemoryDisk.pattern(sector: 9, count: 2, salt: 0))
        // The old epoch's grants stand, and the new one's are others.
        let during = references(scene)
        #expect(before.isSubset(of: during) && during.count == 2 * before.count)
        old.thaw()
        _ = await first.running.result
        try await eventually("the late answer to be counted") {
            front.disk.statistics.staleCount == 1
        }
        try await eventually("the old pages to be released") {
            references(scene).isDisjoint(with: before)
        }
        first.end()
        try await front.close()
        try await second.close()
        try scene.hypervisor.assertCleanedUp()
    }

    /// What the guest has granted.
    private func references(_ scene: Scene) -> Set<GrantReference> {
        Set(
            scene.hypervisor.leaks().flatMap { leak -> [GrantReference] in
                if case .share(let references) = leak.kind { references } else { [] }
            })
    }

    @Test("a backend closes in good order, and another takes its place", arguments: 1...3)
    func orderlyChange(times: Int) async throws {
        let scene = try await Scene()
        let front = try FrontendLife(scene)
        for time in 1...times {
            let back = try BackendLife(scene, MemoryDisk(sectorCount: 100 + time))
            try await eventually("the new backend") {
                (try? await front.disk.geometry().sectorCount) == UInt64(100 + time)
            }
            #expect(try await front.disk.read(sector: 99, count: 1).count == 512)
            try await back.close()
        }
        #expect(front.disk.statistics.epochCount == times)
        try await front.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("a frontend restarts while its backend goes on", arguments: [false, true])
    func frontendRestarts(isKilled: Bool) async throws {
        let scene = try await Scene()
        let back = try BackendLife(scene, MemoryDisk(sectorCount: 100))
        for _ in 0..<3 {
            let front = try FrontendLife(scene)
            #expect(
                try await front.disk.read(sector: 3, count: 4)
                    == MemoryDisk.pattern(sector: 3, count: 4, salt: 0))
            if isKilled {
                front.store.close()
                front.process.kill()
                _ = await front.running.result
                await front.disk.close()
            } else {
                try await front.close()
                try await scene.backendReaches(.closed)
            }
        }
        // A dead frontend would be waited for.
        if isKilled { await back.kill() } else { try await back.close() }
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("a cancelled read returns at once, and leaves the frontend usable")
    func cancellation() async throws {
        let scene = try await Scene()
        let front = try FrontendLife(scene)
        // Without a backend, before and during the wait.
        let waiting = Task { try await front.disk.read(sector: 0, count: 1) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        let cancelledBefore = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return try await front.disk.read(sector: 0, count: 1)
        }
        await #expect(throws: CancellationError.self) { try await cancelledBefore.value }

        let disk = MemoryDisk(sectorCount: 100)
        let back = try BackendLife(scene, disk)
        _ = try await front.disk.geometry()
        disk.freeze()
        let stuck = Task { try await front.disk.read(sector: 0, count: 1) }
        try await eventually("the read to hang") { disk.stuckCount == 1 }
        stuck.cancel()
        await #expect(throws: CancellationError.self) { try await stuck.value }
        disk.thaw()
        #expect(
            try await front.disk.read(sector: 7, count: 1)
                == MemoryDisk.pattern(sector: 7, count: 1, salt: 0))
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test(
        "a lost store ends the driver with a typed error, a cancelled driver with CancellationError"
    )
    func driverEnds() async throws {
        let scene = try await Scene()
        let back = try BackendLife(scene, MemoryDisk(sectorCount: 100))
        var front = try FrontendLife(scene)
        _ = try await front.disk.geometry()
        front.store.close()
        let error = await #expect(throws: BusError.self) { try await front.running.value }
        #expect(error?.code == .store)
        await front.disk.close()
        front.process.kill()

        front = try FrontendLife(scene)
        _ = try await front.disk.geometry()
        for running in [front.running, back.running] {
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
        }
        await front.disk.close()
        front.store.close()
        front.process.kill()
        back.end()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("a closed frontend says so to whoever asks")
    func closed() async throws {
        let scene = try await Scene()
        let front = try FrontendLife(scene)
        let waiting = Task { try await front.disk.read(sector: 0, count: 1) }
        let geometry = Task { try await front.disk.geometry() }
        try await front.close()
        var error = await #expect(throws: BlockError.self) { try await waiting.value }
        #expect(error?.code == .closed)
        error = await #expect(throws: BlockError.self) { try await geometry.value }
        #expect(error?.code == .closed)
        error = await #expect(throws: BlockError.self) { try await front.disk.flush() }
        #expect(error?.code == .closed)
        try scene.hypervisor.assertCleanedUp()
    }

    @Test(
        "a storage that hangs delays closing by seconds at most, and is waited for by the next connection"
    )
    func storageHangs() async throws {
        let scene = try await Scene()
        let disk = MemoryDisk(sectorCount: 100)
        let back = try BackendLife(scene, disk)
        let front = try FrontendLife(scene)
        _ = try await front.disk.geometry()
        disk.freeze()
        let held = Task { try await front.disk.read(sector: 0, count: 1) }
        try await eventually("the read to hang") { disk.stuckCount == 1 }
        front.store.close()
        _ = await front.running.result
        let next = try FrontendLife(scene)
        try await eventually("the refusal") {
            try await scene.backendNode("error")?.contains("still waits") == true
        }
        disk.thaw()
        #expect(try await next.disk.read(sector: 2, count: 1).count == 512)
        await front.disk.close()
        await #expect(throws: BlockError.self) { try await held.value }
        front.process.kill()
        try await next.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }
}
