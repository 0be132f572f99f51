import DeviceStage
import BlockDevice
import Testing
import XenBus
import XenCore
import XenMock

@Suite("A frontend against hostile backends", .timeLimit(.minutes(1)))
struct HostileBackendTests {
    /// What a backend does to the first request that it gets.
    enum Crime: CaseIterable, Sendable {
        case unknownSlot, slotOutOfRange, doubleAnswer, impossibleIndex, indexFarAway
    }

    @Test(
        "a backend that breaks the protocol is left, and the next one answers",
        arguments: Crime.allCases)
    func crimes(crime: Crime) async throws {
        let scene = try await Scene()
        let front = try FrontendLife(scene)
        let bad = try HandmadeBackend(scene)
        try await bad.connect()
        let bytes = Task { try await front.disk.read(sector: 5, count: 3) }
        let request = try await bad.request()
        switch crime {
        case .unknownSlot: try bad.answer(request, id: request.id ^ 1)
        case .slotOutOfRange: try bad.answer(request, id: request.id | 0xFFFF_FFFF)
        case .doubleAnswer:
            let second = Task { try await front.disk.read(sector: 6, count: 1) }
            _ = try await bad.request()
            try bad.answer(request, .error)
            await #expect(throws: BlockError.self) { try await bytes.value }
            try bad.answer(request)
            try await left(bad, scene, front)
            #expect(try await second.value == MemoryDisk.pattern(sector: 6, count: 1, salt: 0))
            return
        case .impossibleIndex: try bad.claimProducer(2)
        case .indexFarAway: try bad.claimProducer(.max)
        }
        try await left(bad, scene, front)
        #expect(try await bytes.value == MemoryDisk.pattern(sector: 5, count: 3, salt: 0))
    }

    /// Waits until the frontend has had enough of a backend, and replaces it by an honest one.
    private func left(
        _ bad: HandmadeBackend, _ scene: Scene, _ front: FrontendLife
    ) async throws {
        try await eventually("the frontend to leave") {
            try await scene.frontendNode("state") != "4"
        }
        bad.end()
        let good = try BackendLife(scene, MemoryDisk(sectorCount: 100))
        _ = try await front.disk.geometry()
        try await eventually("the next epoch") { front.disk.statistics.epochCount >= 2 }
        #expect(try await front.disk.read(sector: 0, count: 1).count == 512)
        try await front.close()
        try await good.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("an answer from another epoch is dropped and counted")
    func otherEpoch() async throws {
        let scene = try await Scene()
        let front = try FrontendLife(scene)
        let back = try HandmadeBackend(scene)
        try await back.connect()
        let first = Task { try await front.disk.read(sector: 0, count: 1) }
        let second = Task { try await front.disk.read(sector: 1, count: 1) }
        let requests = [try await back.request(), try await back.request()]
        try back.answer(requests[0], id: requests[0].id & 0xFFFF_FFFF)
        try await eventually("the answer to be counted") { front.disk.statistics.staleCount == 1 }
        try back.answer(requests[1])
        // One of both was answered; the other is when the device is closed.
        back.end()
        let good = try BackendLife(scene, MemoryDisk(sectorCount: 100))
        #expect(try await first.value.count == 512)
        #expect(try await second.value.count == 512)
        try await front.close()
        try await good.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test(
        "a device of an impossible size is refused",
        arguments: ["", "0", "-1", "x", "18446744073709551615", "18014398509481984"])
    func garbageSectors(text: String) async throws {
        let scene = try await Scene()
        let front = try FrontendLife(scene)
        let bad = try HandmadeBackend(scene)
        try await bad.connect(sectors: text)
        try await eventually("the frontend to leave") {
            try await scene.frontendNode("state") != "3"
        }
        #expect(front.disk.statistics.epochCount == 0)
        bad.end()
        let good = try BackendLife(scene, MemoryDisk(sectorCount: 100))
        #expect(try await front.disk.geometry().sectorCount == 100)
        try await front.close()
        try await good.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("a silent backend ends in a typed error, which says what is unknown")
    func silence() async throws {
        let scene = try await Scene()
        let front = try FrontendLife(scene, requestTimeout: .milliseconds(300))
        // Nobody there at all.
        var error = await #expect(throws: BlockError.self) {
            try await front.disk.read(sector: 0, count: 1)
        }
        #expect(error?.code == .timedOut)
        let back = try HandmadeBackend(scene)
        try await back.connect()
        _ = try await front.disk.geometry()
        error = await #expect(throws: BlockError.self) {
            try await front.disk.write(sector: 0, [UInt8](repeating: 1, count: 512))
        }
        #expect(error?.code == .timedOut)
        #expect(error?.message.contains("may or may not have been carried out") == true)
        // Its late answer gives its pages back to the next request, and to nobody else.
        let late = try await back.request()
        var isFirst = true
        var byteCount: Int?
        // On a busy machine the next one may be late, too: then there is another.
        while byteCount == nil {
            let next = Task { try await front.disk.read(sector: 0, count: 1) }
            let request = try await back.request()
            if isFirst {
                #expect(late.segments[0].reference != request.segments[0].reference)
                try back.answer(late)
                isFirst = false
            }
            try back.answer(request)
            do { byteCount = try await next.value.count } catch let error as BlockError {
                try #require(error.code == .timedOut)
            }
        }
        #expect(byteCount == 512)
        #expect(front.disk.statistics.staleCount == 0)
        back.end()
        try await front.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test(
        "a backend's garbage states are survived",
        arguments: ["", "x", "-1", "99", "4294967296", "7", "8", "0"])
    func garbageState(text: String) async throws {
        let scene = try await Scene()
        let front = try FrontendLife(scene)
        let bad = try HandmadeBackend(scene)
        try await bad.write("state", text)
        try await bad.connect()
        try await bad.write("state", text)
        bad.end()
        let good = try BackendLife(scene, MemoryDisk(sectorCount: 100))
        try await eventually("the honest backend") {
            (try? await front.disk.geometry().sectorCount) == 100
        }
        #expect(try await front.disk.read(sector: 1, count: 1).count == 512)
        try await front.close()
        try await good.close()
        try scene.hypervisor.assertCleanedUp()
    }
}
