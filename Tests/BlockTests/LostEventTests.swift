import BlockDevice
import DeviceStage
import Synchronization
import Testing
import XenMock

@Suite("A block device whose events are lost", .timeLimit(.minutes(1)))
struct LostEventTests {
    @Test("is late, and hangs for nobody")
    func lateOnly() async throws {
        let scene = try await Scene()
        let back = try BackendLife(scene, MemoryDisk(sectorCount: 100))
        let front = try FrontendLife(scene)
        _ = try await front.disk.geometry()
        let before = front.disk.statistics.notificationCount
        var faults = MockFaults()
        faults.lost = 1
        scene.hypervisor.inject(faults, seed: 1)
        async let bytes = front.disk.read(sector: 3, count: 2)
        try await eventually("an event to be lost") {
            front.disk.statistics.notificationCount > before
        }
        scene.hypervisor.stopFaults()
        #expect(try await bytes == MemoryDisk.pattern(sector: 3, count: 2, salt: 0))
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("is found by the backend's own look, which is counted and logged")
    func foundByTheBackend() async throws {
        let scene = try await Scene()
        let sentences = Mutex<[String]>([])
        let back = try BackendLife(
            scene, MemoryDisk(sectorCount: 100), lookPeriod: .milliseconds(20),
            log: { sentence in sentences.withLock { $0.append(sentence) } })
        let front = try FrontendLife(scene)
        _ = try await front.disk.geometry()
        #expect(back.backend.statistics.unannouncedCount == 0)
        var faults = MockFaults()
        faults.lost = 1
        scene.hypervisor.inject(faults, seed: 1)
        let bytes = try await front.disk.read(sector: 3, count: 2)
        #expect(bytes == MemoryDisk.pattern(sector: 3, count: 2, salt: 0))
        scene.hypervisor.stopFaults()
        try await eventually("the backend to have counted and logged it") {
            back.backend.statistics.unannouncedCount > 0
                && sentences.withLock { $0 }.contains { $0.contains("no event had told") }
        }
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }
}
