import DeviceStage
import Testing
import XenBus
import XenCore
import XenStoreClient
import XenStoreServer

@Suite("The drivers over a real store", .timeLimit(.minutes(1)))
struct DriverTests {
    /// Both drivers of one device, each with a connection of its own.
    struct Pair {
        let stage: Stage
        let front: FakeFrontend
        let back: FakeBackend
        let frontDriver: FrontendDriver
        let backDriver: BackendDriver
        let frontRun: Task<DeviceEnd, any Error>
        let backRun: Task<DeviceEnd, any Error>

        init(
            _ stage: Stage, front: FakeFrontend = FakeFrontend(), back: FakeBackend = FakeBackend()
        ) throws {
            self.stage = stage
            self.front = front
            self.back = back
            frontDriver = FrontendDriver(
                front, at: try stage.device.frontendPath, store: try stage.client(of: Stage.guest))
            backDriver = BackendDriver(
                back, at: try stage.device.backendPath, store: try stage.client(of: .dom0))
            frontRun = Task { [frontDriver] in try await frontDriver.run() }
            backRun = Task { [backDriver] in try await backDriver.run() }
        }

        func close() async throws {
            frontDriver.close()
            #expect(try await frontRun.value == .closed)
            backDriver.close()
            #expect(try await backRun.value == .closed)
            try await stage.reach(front: .closed, back: .closed)
        }
    }

    @Test("go through the states in order, and call the devices once each")
    func inOrder() async throws {
        let stage = try await Stage()
        let pair = try Pair(stage)
        try await stage.reach(front: .connected, back: .connected)
        #expect(try await stage.backendNode("feature-fake") == "1")
        try await pair.close()
        #expect(pair.front.diary.entries == ["prepare 1", "connect 1 size 7", "retire 1"])
        #expect(pair.back.diary.entries == ["connect 1 ring 1", "disconnect 1"])
    }

    @Test("a device that cannot is tried again", arguments: [(1, 0), (0, 1), (2, 2)])
    func retries(frontFailures: Int, backFailures: Int) async throws {
        let stage = try await Stage()
        let pair = try Pair(
            stage, front: FakeFrontend(failureCount: frontFailures),
            back: FakeBackend(failureCount: backFailures))
        try await stage.reach(front: .connected, back: .connected)
        let error = try await stage.backendNode("error")
        #expect(error == (backFailures > 0 ? "no room" : nil))
        try await pair.close()
    }

    @Test("whatever a device complains of, the error node holds a part of it")
    func longErrors() async throws {
        let stage = try await Stage()
        let pair = try Pair(
            stage,
            back: FakeBackend(failureCount: 1, failure: String(repeating: "\u{1F4BE}", count: 5000))
        )
        try await stage.reach(front: .connected, back: .connected)
        let count = try #require(try await stage.backendNode("error")).utf8.count
        #expect((500...600).contains(count))
        try await pair.close()
    }

    @Test("a failure of an older epoch harms no newer one")
    func oldFailures() async throws {
        let stage = try await Stage()
        let pair = try Pair(stage)
        try await stage.reach(front: .connected, back: .connected)
        let (oldFront, oldBack) = (pair.front.reportFailure, pair.back.reportFailure)
        oldFront(DeviceFault(description: "broken"))
        try await eventually("the second epoch") {
            // Not always number 2: the backend may refuse the first rings, as it is still closing.
            pair.front.diary.entries.count { $0.hasPrefix("connect") } == 2
        }
        try await stage.reach(front: .connected, back: .connected)
        let before = (pair.front.diary.entries, pair.back.diary.entries)
        oldFront(DeviceFault(description: "late"))
        oldBack(DeviceFault(description: "late"))
        // One more round through both drivers, so that the reports were taken.
        let online = try stage.device.backendPath.appending("online")
        try await stage.toolstack.write(online, "1")
        try await Task.sleep(for: .milliseconds(100))
        #expect(pair.front.diary.entries == before.0)
        #expect(pair.back.diary.entries == before.1)
        try await pair.close()
    }

    @Test(
        "an unplugged device ends its backend once the frontend has closed, whichever came first",
        arguments: [false, true])
    func unplugged(closesFirst: Bool) async throws {
        let stage = try await Stage()
        let pair = try Pair(stage)
        try await stage.reach(front: .connected, back: .connected)
        let online = try stage.device.backendPath.appending("online")
        if !closesFirst { try await stage.toolstack.write(online, "0") }
        pair.frontDriver.close()
        #expect(try await pair.frontRun.value == .closed)
        if closesFirst {
            try await stage.reach(back: .closed)
            try await stage.toolstack.write(online, "0")
        }
        #expect(try await pair.backRun.value == .unplugged)
        try await stage.reach(front: .closed, back: .closed)
    }

    @Test("a driver whose peer is slow to answer does not wake itself again and again")
    func waitsQuietly() async throws {
        let stage = try await Stage()
        let transport = InterferingTransport(
            try stage.server.connect(as: Stage.guest), writing: "/noise", beforeCommits: 0)
        let driver = FrontendDriver(
            FakeFrontend(), at: try stage.device.frontendPath,
            store: try .patient(over: transport))
        let state = try stage.device.backendPath.appending("state")
        let running = Task { try await driver.run() }
        try await stage.toolstack.write(state, "2")
        try await stage.reach(front: .initialised)
        try await stage.toolstack.write(state, "4")
        try await stage.reach(front: .connected)
        driver.close()
        try await stage.reach(front: .closing)
        try await stage.toolstack.write(state, "5")
        // It waits for Closed for as long as it waits for any backend.
        #expect(try await running.value == .closed)
        #expect(transport.commitCount < 20)
    }

    @Test("a frontend whose directory is taken away ends, and lets go of its rings")
    func frontendUnplugged() async throws {
        let stage = try await Stage()
        let pair = try Pair(stage)
        try await stage.reach(front: .connected, back: .connected)
        try await stage.device.detach(store: stage.toolstack)
        #expect(try await pair.frontRun.value == .unplugged)
        #expect(try await pair.backRun.value == .peerGone)
        #expect(pair.front.diary.entries.last == "retire 1")
        #expect(try await !stage.toolstack.exists(stage.device.frontendPath))
    }

    @Test(
        "a device that is detached has lost its backend's frontend, whatever the backend was about to read",
        arguments: [true, false])
    func detachedInMidLook(readsOwn: Bool) async throws {
        let stage = try await Stage()
        let (front, back) = (try stage.device.frontendPath, try stage.device.backendPath)
        let transport = InterferingTransport(
            try stage.server.connect(as: .dom0), writing: "/noise", beforeCommits: 0)
        let driver = BackendDriver(
            FakeBackend(), at: back, store: try .patient(over: transport))
        let running = Task { try await driver.run() }
        try await stage.reach(back: .initWait)
        let state = try front.appending("state")
        let permissions = try await stage.toolstack.permissions(state)
        transport.remove(
            [front, back], beforeReading: readsOwn ? try back.appending("state") : state)
        // The driver looks, if it has not by itself; a write would make the node again.
        try? await stage.toolstack.setPermissions(state, permissions)
        #expect(try await running.value == .peerGone)
    }

    @Test("a frontend that writes without pause does not end its backend", arguments: [1, 16, 40])
    func writingWithoutPause(commitCount: Int) async throws {
        let stage = try await Stage()
        let transport = InterferingTransport(
            try stage.server.connect(as: .dom0),
            writing: try stage.device.frontendPath.appending("state"), beforeCommits: commitCount)
        let driver = BackendDriver(
            FakeBackend(), at: try stage.device.backendPath, store: try .patient(over: transport)
        )
        let running = Task { try await driver.run() }
        try await stage.reach(back: .initWait)
        #expect(transport.disturbancesLeft == 0)
        driver.close()
        #expect(try await running.value == .closed)
    }

    @Test("a failure closes the device also when the words for it cannot be written")
    func failingWithoutWords() async throws {
        let stage = try await Stage()
        let transport = InterferingTransport(
            try stage.server.connect(as: .dom0),
            writing: try stage.device.backendPath.appending("error"), beforeCommits: .max)
        let backend = FakeBackend()
        let driver = BackendDriver(
            backend, at: try stage.device.backendPath, store: try .patient(over: transport))
        let running = Task { try await driver.run() }
        try await stage.reach(back: .initWait)
        let front = try stage.device.frontendPath
        try await stage.toolstack.write(front.appending("ring-ref"), "1")
        try await stage.toolstack.write(front.appending("state"), "3")
        try await stage.reach(back: .connected)
        backend.reportFailure(DeviceFault(description: "the ring broke"))
        try await stage.reach(back: .closing)
        #expect(backend.diary.entries.last == "disconnect 1")
        running.cancel()
        await #expect(throws: CancellationError.self) { try await running.value }
    }

    @Test("a device that is unplugged before its frontend came ends its backend")
    func unpluggedUnused() async throws {
        let stage = try await Stage()
        let driver = BackendDriver(
            FakeBackend(), at: try stage.device.backendPath, store: try stage.client(of: .dom0))
        let run = Task { try await driver.run() }
        try await stage.reach(back: .initWait)
        try await stage.toolstack.write(stage.device.backendPath.appending("online"), "0")
        #expect(try await run.value == .unplugged)
        try await stage.reach(back: .closed)
    }

    @Test("a directory that has vanished is not made again")
    func vanished() async throws {
        let stage = try await Stage()
        let pair = try Pair(stage)
        try await stage.reach(front: .connected, back: .connected)
        try await stage.device.detach(store: stage.toolstack)
        _ = try await pair.backRun.value
        pair.frontDriver.close()
        _ = try await pair.frontRun.value
        for path in [try stage.device.frontendPath, try stage.device.backendPath] {
            #expect(try await !stage.toolstack.exists(path))
        }
        #expect(pair.back.diary.entries.last == "disconnect 1")
        #expect(pair.front.diary.entries.last == "retire 1")
    }

    @Test("a device that the toolstack has not made is said to be missing")
    func noDevice() async throws {
        let stage = try await Stage()
        try await stage.device.detach(store: stage.toolstack)
        let front = FrontendDriver(
            FakeFrontend(), at: try stage.device.frontendPath,
            store: try stage.client(of: Stage.guest))
        let back = BackendDriver(
            FakeBackend(), at: try stage.device.backendPath, store: try stage.client(of: .dom0))
        var error = await #expect(throws: BusError.self) { try await front.run() }
        #expect(error?.code == .noDevice)
        error = await #expect(throws: BusError.self) { try await back.run() }
        #expect(error?.code == .noDevice)
        #expect(try await stage.toolstack.exists(stage.device.backendPath) == false)
    }

    @Test("a peer's number that is no domain is said so", arguments: ["", "x", "-1", "65536"])
    func badPeer(text: String) async throws {
        let stage = try await Stage()
        try await stage.toolstack.write(stage.device.frontendPath.appending("backend-id"), text)
        let front = FrontendDriver(
            FakeFrontend(), at: try stage.device.frontendPath,
            store: try stage.client(of: Stage.guest))
        let error = await #expect(throws: BusError.self) { try await front.run() }
        #expect(error?.code == .noDevice)
    }

    @Test("closing a peer that does not take part ends within its deadline")
    func silentPeers() async throws {
        let stage = try await Stage()
        let pair = try Pair(stage)
        try await stage.reach(front: .connected, back: .connected)
        // The frontend dies without a word; nobody answers the backend's Closing.
        pair.frontRun.cancel()
        _ = await pair.frontRun.result
        pair.backDriver.close()
        #expect(try await pair.backRun.value == .closed)
        try await stage.reach(front: .connected, back: .closed)
    }
}
