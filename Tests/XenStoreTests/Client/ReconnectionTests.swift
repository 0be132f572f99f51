import Synchronization
import Testing
import XenCore
import XenStoreServer
import XenStoreWire
import XenSystem

@testable import XenStoreClient

/// Connects to whichever server a test names, in its own time.
final class SwitchedConnector: StoreConnector {
    private let server: Mutex<StoreServer?>

    init(_ server: StoreServer) { self.server = Mutex(server) }

    func connect(until deadline: Deadline) throws(StoreError) -> any ByteTransport {
        guard let server = server.withLock({ $0 }) else {
            throw StoreError(.unavailable, "no server in this test now")
        }
        return try server.connect(as: .dom0)
    }

    func use(_ next: StoreServer?) { server.withLock { $0 = next } }
}

/// Clients whose server ends and comes again.
@Suite(.timeLimit(.minutes(1))) struct ReconnectionTests {
    private func scene() throws -> (StoreServer, SwitchedConnector, StoreClient) {
        let server = try StoreServer()
        let connector = SwitchedConnector(server)
        let client = try StoreClient(
            reconnecting: connector, requestTimeout: .seconds(20), policy: .brief)
        return (server, connector, client)
    }

    @Test func aServerThatComesAgainOverItsSocketIsServedAgain() async throws {
        let socket = try TemporarySocket()
        var server = try StoreServer()
        try server.listen(path: socket.path)
        let client = try StoreClient.connect(path: socket.path, requestTimeout: .seconds(20))
        let watch = try await client.watch("/a")
        for round in 1...3 {
            let epoch = client.epoch
            server.stop()
            server = try StoreServer()
            try server.listen(path: socket.path)
            // It was begun without a connection, or on the one that is lost, and is harmless.
            #expect(try await client.exists("/a") == false)
            try await client.write("/a", "\(round)")
            let next = try await client.nextEpoch(after: epoch, until: .after(.seconds(20)))
            #expect(next > epoch && client.epoch == next)
            while try await watch.next(until: .after(.seconds(20))) != .lookAgain {}
            #expect(try await client.readString("/a") == "\(round)")
        }
    }

    @Test func whoWaitsForAnEpochIsTold() async throws {
        let (server, connector, client) = try scene()
        #expect(try await client.nextEpoch(after: .none, until: .now) == client.epoch)
        let late = await #expect(throws: StoreError.self) {
            _ = try await client.nextEpoch(after: client.epoch, until: .after(.milliseconds(5)))
        }
        #expect(late?.code == .timedOut)
        var epochs = client.epochs.makeAsyncIterator()
        let first = try await epochs.next()
        let waiting = Task { [first] in
            try await client.nextEpoch(after: first ?? .none, until: .after(.seconds(20)))
        }
        connector.use(try StoreServer())
        server.stop()
        let second = try await epochs.next()
        #expect(second == first?.next)
        #expect(try await waiting.value == second)
        let cancelled = Task { [second] in
            try await client.nextEpoch(after: second ?? .none, until: .after(.seconds(1000)))
        }
        cancelled.cancel()
        #expect((await cancelled.result.failure as? StoreError)?.code == .cancelled)
        client.close()
        let end = await #expect(throws: StoreError.self) { _ = try await epochs.next() }
        #expect(end?.code == .disconnected)
    }

    @Test func aTransactionRunsAgainInTheNextEpoch() async throws {
        let (server, connector, client) = try scene()
        let next = try StoreServer()
        let attempts = Mutex(0)
        try await client.withTransaction { store throws(StoreError) in
            let attempt = attempts.withLock {
                $0 += 1
                return $0
            }
            try await store.write("/n", "\(attempt)")
            if attempt == 1 {
                let epoch = client.epoch
                connector.use(next)
                server.stop()
                _ = try await client.nextEpoch(after: epoch, until: .after(.seconds(20)))
                try await store.write("/m", "of another life")
            }
        }
        #expect(attempts.withLock { $0 } == 2)
        #expect(try await client.readString("/n") == "2")
        #expect(try await client.exists("/m") == false)
    }

    @Test func withoutAServerRequestsEndAtTheirDeadline() async throws {
        let (server, connector, client) = try scene()
        connector.use(nil)
        server.stop()
        let error = await #expect(throws: StoreError.self) {
            _ = try await client.perform(.read("/a"), until: .after(.milliseconds(30)))
        }
        #expect(error?.code == .timedOut)
        #expect(client.disconnection == nil)
        let waiting = Task { try await client.readString("/a") }
        waiting.cancel()
        #expect((await waiting.result.failure as? StoreError)?.code == .cancelled)
    }

    @Test func aWriteWhoseAnswerIsLostIsInDoubt() async throws {
        let (near, far) = try ScriptedServer.pair()
        let client = try StoreClient(
            reconnecting: SingleConnection(near), requestTimeout: .seconds(20), policy: .brief)
        let writing = Task { try await client.write("/a", "1") }
        #expect(try far.nextRequest().operation == .write)
        far.close()
        #expect((await writing.result.failure as? StoreError)?.code == .outcomeUnknown)
    }

    @Test func aDeviceThatLosesAReplyIsOpenedAgain() async throws {
        let client = try StoreClient(
            reconnecting: SilentDeviceFirst(), requestTimeout: .milliseconds(20), policy: .brief)
        let epoch = client.epoch
        while client.epoch == epoch, !Task.isCancelled { _ = try? await client.read("/a") }
        let value = try await client.perform(.read("/a"), until: .after(.seconds(20)))
        #expect(value == Array("value".utf8))
    }

    @Test func aResumptionWatchTellsOfANewEpochToo() async throws {
        let (server, connector, client) = try scene()
        let resumptions = try await client.watchResumption()
        connector.use(try StoreServer())
        server.stop()
        try await resumptions.next(until: .after(.seconds(20)))
    }
}

/// A device that loses every reply, then one that is well.
private final class SilentDeviceFirst: StoreConnector {
    private let count = Mutex(0)

    func connect(until deadline: Deadline) throws(StoreError) -> any ByteTransport {
        let isFirst = count.withLock {
            $0 += 1
            return $0 == 1
        }
        do {
            return try XenbusDevice(watching: .refused(.exists), isSilent: isFirst).opened()
        } catch {
            throw StoreError(.unavailable, "no device in this test: \(error)")
        }
    }
}
