import DeviceStage
import Testing
import XenBus
import XenCore
import XenStoreClient
import XenStoreServer

@Suite("A domain that is restored or migrated", .timeLimit(.minutes(1)))
struct ResumptionTests {
    /// A frontend whose connection to the store outlives its domain, on the device of a stage.
    struct Guest {
        let front = FakeFrontend()
        let transport: ResumableTransport
        let store: StoreClient
        let driver: FrontendDriver
        let running: Task<DeviceEnd, any Error>

        init(_ stage: Stage) throws {
            transport = ResumableTransport(try stage.server.connect(as: Stage.guest))
            store = try .patient(over: transport)
            driver = FrontendDriver(front, at: "device/fake/0", store: store)
            running = Task { [driver] in try await driver.run() }
        }
    }

    /// A backend, running.
    struct Backend {
        let driver: BackendDriver
        let running: Task<DeviceEnd, any Error>

        init(_ device: DeviceAddress, _ server: StoreServer) throws {
            let store: StoreClient = try .patient(over: server.connect(as: .dom0))
            driver = BackendDriver(FakeBackend(), at: try device.backendPath, store: store)
            running = Task { [driver] in try await driver.run() }
        }
    }

    /// When a domain is resumed: between two of its driver's looks, or within one, before it reads this node.
    enum Moment: CaseIterable {
        case anyTime, beforeOwnState, beforeBackendState, beforeOnline

        /// Resumes the guest, whose device of before was connected.
        func resume(
            _ guest: Guest, of stage: Stage, onto next: any ByteTransport
        ) async throws {
            let node: StorePath
            switch self {
            case .anyTime: return try await guest.transport.resume(onto: next)
            case .beforeOwnState: node = "device/fake/0/state"
            case .beforeBackendState: node = try stage.device.backendPath.appending("state")
            case .beforeOnline: node = try stage.device.backendPath.appending("online")
            }
            guest.transport.resume(onto: next, beforeReading: node)
            // The driver looks.
            try await stage.toolstack.write(stage.device.backendPath.appending("online"), "1")
            try await eventually("the resume") { !guest.transport.isLyingInWait }
        }
    }

    static let afterOneResumption = [
        "prepare 1", "connect 1 size 7", "resume", "retire 1", "prepare 2", "connect 2 size 7",
    ]

    @Test(
        "under another number: the frontend finds its new device, and its old backend an end",
        arguments: Moment.allCases)
    func anotherNumber(moment: Moment) async throws {
        let stage = try await Stage()
        let guest = try Guest(stage)
        let old = try Backend(stage.device, stage.server)
        try await stage.reach(front: .connected, back: .connected)

        // The toolstack makes the new device before the domain goes on.
        let device = DeviceAddress(kind: "fake", number: 0, frontendDomain: DomainID(2))
        try await device.attach(store: stage.toolstack)
        try await moment.resume(guest, of: stage, onto: stage.server.connect(as: DomainID(2)))
        try await stage.toolstack.remove(stage.device.frontendPath)
        #expect(try await old.running.value == .peerGone)
        let new = try Backend(device, stage.server)
        let state = try device.frontendPath.appending("state")
        try await eventually("the new device to be connected") {
            try await stage.toolstack.readString(state) == "4"
        }
        #expect(guest.front.diary.entries == Self.afterOneResumption)

        guest.driver.close()
        #expect(try await guest.running.value == .closed)
        new.driver.close()
        #expect(try await new.running.value == .closed)
    }

    @Test("under the same number elsewhere: there, too, a new epoch begins")
    func sameNumber() async throws {
        let (here, there) = (try await Stage(), try await Stage())
        let guest = try Guest(here)
        let old = try Backend(here.device, here.server)
        try await here.reach(front: .connected, back: .connected)
        try await guest.transport.resume(onto: there.server.connect(as: Stage.guest))
        let new = try Backend(there.device, there.server)
        try await there.reach(front: .connected, back: .connected)
        #expect(guest.front.diary.entries.filter { $0 == "resume" } == ["resume"])
        #expect(guest.front.diary.entries.last?.hasPrefix("connect") == true)
        // Nothing was written where the domain is no longer.
        try await here.reach(front: .connected, back: .connected)
        old.running.cancel()
        guest.driver.close()
        #expect(try await guest.running.value == .closed)
        new.driver.close()
        #expect(try await new.running.value == .closed)
    }

    @Test(
        "without its device: the frontend ends as unplugged, and its rings die with their life",
        arguments: Moment.allCases)
    func withoutDevice(moment: Moment) async throws {
        let stage = try await Stage()
        let guest = try Guest(stage)
        let old = try Backend(stage.device, stage.server)
        try await stage.reach(front: .connected, back: .connected)
        try await moment.resume(guest, of: stage, onto: stage.server.connect(as: DomainID(2)))
        #expect(try await guest.running.value == .unplugged)
        #expect(guest.front.diary.entries.last == "retire 1")
        old.running.cancel()
    }

    @Test("a device that the toolstack made anew without a resume begins a new epoch, too")
    func madeAnew() async throws {
        let stage = try await Stage()
        let guest = try Guest(stage)
        let old = try Backend(stage.device, stage.server)
        try await stage.reach(front: .connected, back: .connected)
        old.running.cancel()
        _ = await old.running.result
        try await stage.device.attach(store: stage.toolstack)
        let new = try Backend(stage.device, stage.server)
        try await stage.reach(front: .connected, back: .connected)
        #expect(guest.front.diary.entries == Self.afterOneResumption)
        guest.driver.close()
        #expect(try await guest.running.value == .closed)
        new.driver.close()
        #expect(try await new.running.value == .closed)
    }

    @Test("a device that is made anew while both ends run is connected again, features and all")
    func madeAnewUnderBoth() async throws {
        let stage = try await Stage()
        let backend = try Backend(stage.device, stage.server)
        try await stage.reach(back: .initWait)
        try await stage.device.attach(store: stage.toolstack)
        try await stage.reach(back: .initWait)
        let guest = try Guest(stage)
        try await stage.reach(front: .connected, back: .connected)
        try await stage.device.attach(store: stage.toolstack)
        try await stage.reach(front: .connected, back: .connected)
        #expect(try await stage.backendNode("feature-fake") == "1")
        #expect(guest.front.diary.entries == Self.afterOneResumption)
        guest.driver.close()
        #expect(try await guest.running.value == .closed)
        backend.driver.close()
        #expect(try await backend.running.value == .closed)
    }

    @Test("a backend whose directory alone is taken away says that it was unplugged")
    func unplugged() async throws {
        let stage = try await Stage()
        let backend = try Backend(stage.device, stage.server)
        try await stage.reach(back: .initWait)
        try await stage.toolstack.remove(stage.device.backendPath)
        #expect(try await backend.running.value == .unplugged)
    }

    @Test("the store's client tells of each resumption, and of nothing else")
    func watch() async throws {
        let stage = try await Stage()
        let transport = ResumableTransport(try stage.server.connect(as: Stage.guest))
        let store: StoreClient = try .patient(over: transport)
        let resumptions = try await store.watchResumption()
        func expectSilence() async throws {
            _ = try await store.domainPath(.dom0)
            let error = await #expect(throws: StoreError.self) {
                try await resumptions.next(until: .after(.milliseconds(20)))
            }
            #expect(error?.code == .timedOut)
        }
        try await expectSilence()
        for number: UInt16 in 2...4 {
            try await transport.resume(onto: stage.server.connect(as: DomainID(number)))
            try await resumptions.next(until: .after(.seconds(30)))
            try await expectSilence()
        }
    }
}
