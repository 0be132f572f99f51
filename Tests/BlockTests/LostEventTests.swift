import BlockDevice
import DeviceStage
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
}
