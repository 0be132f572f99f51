import StoreDaemons
import Testing
import XenCore
import XenStoreClient
import XenStoreServer
import XenTesting

/// The suite that also runs on real Xen: our client, against our server and against Xen's own daemons.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ConformanceTests {
    private let guest = DomainID(3)

    @Test(arguments: StoreConformance.checks) func overASocket(_ check: StoreCheck) async throws {
        let socket = try TemporarySocket()
        let server = try StoreServer()
        try server.listen(path: socket.path)
        try await check.run(try connect(socket.path))
        server.stop()
    }

    @Test(arguments: StoreConformance.checks) func asAGuest(_ check: StoreCheck) async throws {
        let server = try StoreServer()
        try await makeHome(try server.client(0))
        try await check.run(try server.client(guest.rawValue))
        server.stop()
    }

    @Test(arguments: StoreConformance.checks) func overARing(_ check: StoreCheck) async throws {
        let stage = try RingStage()
        let ring = try stage.attachedGuest(guest.rawValue)
        try await makeHome(try stage.server.client(0))
        let client = try StoreClient(
            reconnecting: try #require(ring.connector()), requestTimeout: .seconds(20))
        try await check.run(client)
        client.close()
        stage.server.stop()
    }

    @Test(arguments: DaemonKind.allCases, StoreConformance.checks)
    func overADaemonsSocket(_ kind: DaemonKind, _ check: StoreCheck) async throws {
        let daemon = try StoreDaemon(kind)
        try await check.run(try connect(daemon.socket))
        daemon.stop()
    }

    @Test(arguments: DaemonKind.allCases, StoreConformance.checks)
    func overADaemonsRing(_ kind: DaemonKind, _ check: StoreCheck) async throws {
        let daemon = try StoreDaemon(kind)
        let ring: GuestTransport = try daemon.makeGuest(guest)
        try daemon.introduce(guest)
        try await makeHome(try connect(daemon.socket))
        try await check.run(try StoreClient(over: ring, requestTimeout: .seconds(20)))
        daemon.stop()
    }

    private func connect(_ path: String) throws -> StoreClient {
        try StoreClient.connect(path: path, requestTimeout: .seconds(20))
    }

    private func makeHome(_ toolstack: StoreClient) async throws {
        for home in [StorePath.home(of: guest), try path("/local/domain/3/data")] {
            try await toolstack.makeDirectory(home)
            try await toolstack.setPermissions(home, [.init(.none, for: guest)])
        }
    }
}
