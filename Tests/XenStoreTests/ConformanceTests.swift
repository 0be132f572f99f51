import Foundation
import Testing
import XenCore
import XenStoreClient
import XenStoreServer
import XenTesting

/// The suite that also runs on real Xen: our client, against a server over a unix socket.
///
/// `XENSTORED_TEST_SOCKET` names the socket of a daemon that is already running, such as Xen's own xenstored or
/// oxenstored; without it our own server is the other end.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ConformanceTests {
    @Test(arguments: StoreConformance.checks) func overASocket(_ check: StoreCheck) async throws {
        if let socket = ProcessInfo.processInfo.environment["XENSTORED_TEST_SOCKET"] {
            try await check.run(try connect(socket))
        } else {
            let socket = try TemporarySocket()
            let server = try StoreServer()
            try server.listen(path: socket.path)
            try await check.run(try connect(socket.path))
            server.stop()
        }
    }

    private func connect(_ path: String) throws -> StoreClient {
        try StoreClient.connect(path: path, requestTimeout: .seconds(60))
    }

    @Test(arguments: StoreConformance.checks) func asAGuest(_ check: StoreCheck) async throws {
        let server = try StoreServer()
        let toolstack = try server.client(0)
        for home: StorePath in ["/local/domain/3", "/local/domain/3/data"] {
            try await toolstack.makeDirectory(home)
            try await toolstack.setPermissions(home, [.init(.none, for: DomainID(3))])
        }
        try await check.run(try server.client(3))
        server.stop()
    }
}
