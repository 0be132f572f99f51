import BlockDevice
import DeviceStage
import Testing
import XenBus
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenStoreClient
import XenStoreServer

/// Two domains, a store, and one block device between them that is attached and has no drivers yet.
final class Scene: Sendable {
    static let guest = Stage.guest

    let hypervisor = MockHypervisor()
    private let stage: Stage

    init() async throws { stage = try await Stage(kind: "vbd", number: 51712) }

    var server: StoreServer { stage.server }
    var toolstack: StoreClient { stage.toolstack }
    var device: DeviceAddress { stage.device }

    func client(of domain: DomainID) throws -> StoreClient { try stage.client(of: domain) }

    func backendNode(_ key: String) async throws -> String? { try await stage.backendNode(key) }
    func frontendNode(_ key: String) async throws -> String? { try await stage.frontendNode(key) }
    func backendReaches(_ state: DeviceState) async throws { try await stage.reach(back: state) }
    func frontendReaches(_ state: DeviceState) async throws { try await stage.reach(front: state) }
}

/// Our backend's program, a process of dom0.
struct BackendLife: Sendable {
    let backend: BlockBackend
    let process: MockProcess
    let store: StoreClient
    let driver: BackendDriver
    let running: Task<Void, any Error>

    init(
        _ scene: Scene, _ disk: any BlockStorage,
        grants wrap: (any GrantBackend) -> any GrantBackend = { $0 },
        lookPeriod: Duration = .seconds(20), log: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        process = scene.hypervisor.domain(.dom0).startProcess(name: "backend")
        store = try scene.client(of: .dom0)
        backend = BlockBackend(
            storage: disk, grants: GrantTable(wrap(process.grants)),
            events: EventChannels(process.events), lookPeriod: lookPeriod, log: log)
        driver = BackendDriver(backend, at: try scene.device.backendPath, store: store)
        running = Task { [driver] in try await driver.run() }
    }

    /// In good order.
    func close() async throws {
        driver.close()
        try await running.value
        end()
    }

    /// As SIGKILL does it. The driver's task ends as soon as it notices.
    func kill() async {
        end()
        _ = await running.result
    }

    func end() {
        store.close()
        process.kill()
    }
}

/// Our frontend's program, a process of the guest.
struct FrontendLife: Sendable {
    let disk: BlockFrontend
    let process: MockProcess
    let store: StoreClient
    let driver: FrontendDriver
    let running: Task<Void, any Error>

    init(_ scene: Scene, requestTimeout: Duration = .seconds(30)) throws {
        process = scene.hypervisor.domain(Scene.guest).startProcess(name: "frontend")
        store = try scene.client(of: Scene.guest)
        disk = try BlockFrontend(
            grants: GrantTable(process.grants), events: EventChannels(process.events),
            requestTimeout: requestTimeout)
        driver = FrontendDriver(disk, at: try scene.device.frontendPath, store: store)
        running = Task { [driver] in try await driver.run() }
    }

    /// In good order; nothing may be left.
    func close() async throws {
        driver.close()
        try await running.value
        #expect(await disk.close() == 0)
        store.close()
        process.kill()
    }
}
