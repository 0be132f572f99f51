import BlockDevice
import XenBus
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenStoreClient

/// One run of the backend's program: a process of dom0 from its start to its death.
struct BackendLife {
    let backend: BlockBackend
    private let process: MockProcess
    private let storage: FreezableStorage
    private let store: StoreClient
    private let driver: BackendDriver
    private let running: Task<Void, any Error>

    init(image: String, device: DeviceAddress, in domain: MockDomain, store: StoreClient) throws {
        storage = FreezableStorage(try DiskImage(path: image, isReadOnly: true))
        process = domain.startProcess(name: "backend")
        self.store = store
        backend = BlockBackend(
            storage: storage, grants: GrantTable(process.grants),
            events: EventChannels(process.events))
        driver = BackendDriver(backend, at: try device.backendPath, store: store)
        running = Task { [driver] in try await driver.run() }
    }

    /// Whether the program hangs with a request in hand.
    var hasStuckRequest: Bool { storage.hasStuckRequest }

    /// The program will hang in the middle of its next request.
    func freeze() { storage.freeze() }

    /// The world takes the program for dead: its connection to the store goes. It neither says goodbye nor
    /// lets go of the frontend's memory.
    func vanish() { store.close() }

    /// What is left of the program wakes up, answers the request that it was at, and dies.
    func answerLateAndDie() async {
        storage.thaw()
        _ = await running.result
        process.kill()
    }

    /// Ends the program in good order.
    func close() async throws {
        driver.close()
        try await running.value
        store.close()
        process.kill()
    }
}
