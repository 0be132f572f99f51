import BlockDevice
import XenBus
import XenCore
import XenMock
import XenStoreClient
import XenStoreServer

/// Starts the backend, crashes it, and starts it again.
struct BackendCrasher {
    let image: String
    let device: DeviceAddress
    let server: StoreServer
    let domain: MockDomain

    private(set) var crashCount = 0
    private var current: BackendLife?
    private var past = BlockBackendStatistics()

    init(image: String, device: DeviceAddress, server: StoreServer, domain: MockDomain) {
        self.image = image
        self.device = device
        self.server = server
        self.domain = domain
    }

    /// What all lives did together.
    var statistics: BlockBackendStatistics {
        past + (current?.backend.statistics ?? BlockBackendStatistics())
    }

    mutating func startFirst() async throws { current = try start() }

    /// Crashes the backend in the middle of a request, starts a new one, and once the frontend is
    /// connected to that, lets what is left of the old one answer.
    mutating func crash(under disk: BlockFrontend) async throws {
        guard let old = current else { preconditionFailure("crashed before it was started") }
        crashCount += 1
        old.freeze()
        // However little is left to copy, this request is there to be caught by the crash.
        async let probe = disk.read(sector: 0, count: 1)
        try await until("the backend got no request") { old.hasStuckRequest }
        old.vanish()
        let before = disk.statistics
        current = try start()
        try await until("the frontend did not connect to the restarted backend") {
            disk.statistics.epochCount > before.epochCount
        }
        await old.answerLateAndDie()
        past = past + old.backend.statistics
        try await until("the late answer was not dropped") {
            disk.statistics.staleCount > before.staleCount
        }
        _ = try await probe
    }

    /// Ends the last backend, whose frontend has closed.
    func finish() async throws { try await current?.close() }

    private func start() throws -> BackendLife {
        try BackendLife(
            image: image, device: device, in: domain,
            store: try StoreClient(over: server.connect(as: .dom0)))
    }

    private func until(_ failure: String, _ condition: () -> Bool) async throws {
        let deadline = Deadline.after(.seconds(30))
        while !condition() {
            guard !deadline.hasPassed else { throw DemoFailure("\(failure) within 30 s") }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
