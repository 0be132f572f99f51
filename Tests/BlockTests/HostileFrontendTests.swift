import DeviceStage
import BlockDevice
import Testing
import XenBus
import XenCore
import XenGrant
import XenMock
import XenStoreServer

@Suite("A backend against hostile frontends", .timeLimit(.minutes(1)))
struct HostileFrontendTests {
    @Test("garbage requests get errors, and the backend goes on")
    func garbageRequests() async throws {
        let scene = try await Scene()
        let disk = MemoryDisk(sectorCount: 100)
        let back = try BackendLife(scene, disk)
        let front = try HandmadeFrontend(scene)
        try await front.connect()
        var bad: [BlockRequest] = []
        for operation in [2, 4, 6, 7, 255] as [UInt8] {
            bad.append(front.request(BlockOperation(rawValue: operation), id: UInt64(operation)))
        }
        for count in [0, 12, 255] as [UInt8] {
            var request = front.request(.read, id: .max - UInt64(count))
            request.segmentCount = count
            bad.append(request)
        }
        for reference in [0, 1, 1023, 1 << 31, .max] as [UInt32] {
            var request = front.request(.read, id: 1000 + UInt64(reference))
            request.segments[0].reference = reference
            bad.append(request)
        }
        bad.append(front.request(.read, id: 2000, sector: .max))
        bad.append(front.request(.write, id: 2001, sector: 93))
        for request in bad {
            let status = try await front.status(of: request)
            #expect(status == .error || status == .notSupported)
        }
        #expect(try await front.status(of: front.request(.read, id: 3000)) == .okay)
        #expect(back.backend.statistics.errorCount == bad.count)
        #expect(disk.content == MemoryDisk.pattern(sector: 0, count: 100, salt: 0))
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("pages granted for reading only are written from, and never written to")
    func readOnlyGrants() async throws {
        let scene = try await Scene()
        let back = try BackendLife(scene, MemoryDisk(sectorCount: 100))
        let front = try HandmadeFrontend(scene, dataAccess: .readOnly)
        try await front.connect()
        #expect(try await front.status(of: front.request(.read, id: 1)) == .error)
        #expect(try await front.status(of: front.request(.write, id: 2)) == .okay)
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test(
        "an impossible producer index closes the device",
        arguments: [33, 34, 1 << 31, UInt32.max])
    func impossibleIndex(index: UInt32) async throws {
        let scene = try await Scene()
        let back = try BackendLife(scene, MemoryDisk(sectorCount: 100))
        let front = try HandmadeFrontend(scene)
        try await front.connect()
        try front.claimProducer(index)
        try await scene.backendReaches(.closing)
        #expect(try await scene.backendNode("error")?.contains("impossible index") == true)
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("a possible producer index is taken at its word", arguments: [0, 1, 31, 32] as [UInt32])
    func possibleIndex(index: UInt32) async throws {
        let scene = try await Scene()
        let back = try BackendLife(scene, MemoryDisk(sectorCount: 100))
        let front = try HandmadeFrontend(scene)
        try await front.connect()
        try front.claimProducer(index)
        // All slots are zeros: reads of no segments.
        try await eventually("\(index) answers") {
            back.backend.statistics.errorCount == Int(index)
        }
        #expect(try await scene.backendNode("state") == "4")
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    static let garbage = [
        "", "-1", "4294967296", "x", "1 ", "999", "4294967295", "\u{0}",
        String(repeating: "9", count: 1900), "e" + String(repeating: "\u{301}", count: 900),
    ]

    @Test(
        "what cannot be a ring or a port closes the device, which a better frontend then gets",
        arguments: ["ring-ref", "event-channel"], garbage)
    func garbageNodes(key: String, text: String) async throws {
        try await refuses([key: text])
    }

    @Test("a frontend of another architecture is refused", arguments: ["x86_32-abi", "", "x"])
    func otherProtocol(name: String) async throws { try await refuses(["protocol": name]) }

    private func refuses(_ nodes: [String: String]) async throws {
        let scene = try await Scene()
        let back = try BackendLife(scene, MemoryDisk(sectorCount: 100))
        let front = try HandmadeFrontend(scene)
        try await front.publish(nodes)
        try await scene.backendReaches(.closing)
        let error = try #require(try await scene.backendNode("error"))
        #expect(!error.isEmpty && error.utf8.count < 1000)
        try await front.setState(.closed)
        try await scene.backendReaches(.closed)
        try await front.setState(.initialising)
        try await front.connect()
        #expect(try await front.status(of: front.request(.read, id: 1)) == .okay)
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test(
        "a garbage state is that of a frontend that has not begun",
        arguments: ["", "x", "-1", "0", "99999999999", "\u{0}"])
    func garbageState(text: String) async throws {
        let scene = try await Scene()
        let back = try BackendLife(scene, MemoryDisk(sectorCount: 100))
        let front = try HandmadeFrontend(scene)
        try await front.connect()
        try await front.write("state", text)
        try await scene.backendReaches(.initWait)
        try await front.connect()
        #expect(try await front.status(of: front.request(.read, id: 1)) == .okay)
        try await front.close()
        try await back.close()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test("a guest that is destroyed in mid-traffic ends the backend, which lets go of it all")
    func destroyed() async throws {
        let scene = try await Scene()
        let disk = MemoryDisk(sectorCount: 88 * 32)
        let back = try BackendLife(scene, disk)
        let front = try FrontendLife(scene)
        disk.freeze()
        let copy = Task { try await front.disk.readAll { _, _ in } }
        try await eventually("a request to hang") { disk.stuckCount > 0 }
        scene.hypervisor.destroy(scene.hypervisor.domain(Scene.guest))
        try scene.server.release(Scene.guest)
        disk.thaw()
        try await back.running.value
        #expect(try await scene.backendNode("state") == "6")
        await front.disk.close()
        await #expect(throws: BlockError.self) { try await copy.value }
        _ = await front.running.result
        back.end()
        try scene.hypervisor.assertCleanedUp()
    }

    @Test(
        "a frontend whose directory goes ends the backend, connected or not",
        arguments: [false, true])
    func directoryGoes(isConnected: Bool) async throws {
        let scene = try await Scene()
        let back = try BackendLife(scene, MemoryDisk(sectorCount: 100))
        let front = try HandmadeFrontend(scene)
        if isConnected { try await front.connect() }
        try await scene.backendReaches(isConnected ? .connected : .initWait)
        try await scene.device.detach(store: scene.toolstack)
        try await back.running.value
        // A directory that has gone is not made again.
        #expect(try await scene.backendNode("state") == nil)
        #expect(try await scene.backendNode("sectors") == nil)
        front.end()
        back.end()
        try scene.hypervisor.assertCleanedUp()
    }
}
