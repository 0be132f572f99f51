import Synchronization
import Testing
import XenCore
import XenStoreClient
import XenStoreServer
import XenStoreWire
import XenSystem

/// The client's thread, deadlines and ends, against servers that misbehave.
@Suite(.timeLimit(.minutes(1))) struct ClientShellTests {
    @Test func aSilentServerMakesADeadlineErrorAndNoMore() async throws {
        let (client, server) = try pair()
        let error = await #expect(throws: StoreError.self) {
            // Time enough to send it: what was not sent cannot be answered late.
            _ = try await client.perform(.read("/a"), until: .after(.milliseconds(500)))
        }
        #expect(error?.code == .timedOut)
        #expect(client.disconnection == nil)
        // The late answer is dropped, and the next request gets its own.
        try server.answer(try server.nextRequest(), "late")
        let reading = Task { try await client.readString("/b") }
        try server.answer(try server.nextRequest(), "in time")
        #expect(try await reading.value == "in time")
        #expect(client.counters.lateReplies == 1)
    }

    @Test func aServerThatDiesEndsAllThatWaits() async throws {
        let server = try StoreServer()
        let client = try server.client(0)
        let watch = try await client.watch("/a")
        #expect(try await watch.next() == .changed("/a"))
        let waiting = Task { try await watch.next() }
        server.stop()
        #expect((await waiting.result.failure as? StoreError)?.code == .disconnected)
        let error = await #expect(throws: StoreError.self) { _ = try await client.read("/a") }
        #expect(error?.code == .disconnected)
        #expect(client.disconnection?.code == .disconnected)
    }

    @Test func rubbishFromTheServerIsATypedEnd() async throws {
        let (client, server) = try pair()
        let reading = Task { try await client.read("/a") }
        _ = try server.nextRequest()
        try server.send([UInt8](repeating: 0xFF, count: 16))
        let result = await reading.result
        #expect(throws: StoreError.self) { _ = try result.get() }
        #expect(client.disconnection?.code == .protocolViolation)
    }

    @Test func cancellingEndsAtOnceThoughTheServerIsSilent() async throws {
        let (client, server) = try pair(timeout: .seconds(1000))
        let reading = Task { try await client.read("/a") }
        let watching = Task { try await client.watch("/a") }
        reading.cancel()
        watching.cancel()
        for error in [await reading.result.failure, await watching.result.failure] {
            #expect((error as? StoreError)?.code == .cancelled)
        }
        withExtendedLifetime(server) {}
    }

    @Test func afterItsDeadlineNothingIsSent() async throws {
        let server = try StoreServer()
        let shared = try server.client(0)
        let blocking = try BlockingStoreClient(over: try server.connect(as: .dom0))
        let errors = [
            await #expect(throws: StoreError.self) {
                _ = try await shared.perform(.write("/a", []), until: .now)
            },
            #expect(throws: StoreError.self) {
                _ = try blocking.perform(.write("/a", []), until: .now)
            },
        ]
        #expect(errors.map { $0?.code } == [.timedOut, .timedOut])
        #expect(try await shared.exists("/a") == false)
    }

    @Test func aWaitForAnEventHasADeadlineAndCanBeCancelled() async throws {
        let server = try StoreServer()
        let client = try server.client(0)
        let watch = try await client.watch("/a")
        _ = try await watch.next()
        let late = await #expect(throws: StoreError.self) {
            _ = try await watch.next(until: .after(.milliseconds(20)))
        }
        #expect(late?.code == .timedOut)
        let waiting = Task { try await watch.next() }
        waiting.cancel()
        #expect((await waiting.result.failure as? StoreError)?.code == .cancelled)
        try await client.write("/a", "1")
        #expect(try await watch.next() == .changed("/a"))
    }

    @Test func closingTellsWhoeverWaits() async throws {
        let (client, server) = try pair()
        let reading = Task { try await client.read("/a") }
        client.close()
        client.close()
        #expect((await reading.result.failure as? StoreError)?.code == .disconnected)
        withExtendedLifetime(server) {}
    }

    @Test func endlessConflictsEndInATypedError() async throws {
        let server = try StoreServer()
        let client = try server.client(0)
        try await client.write("/n", "0")
        let error = await #expect(throws: StoreError.self) {
            try await client.withTransaction(attempts: 3) { store throws(StoreError) in
                _ = try await store.read("/n")
                try await client.write("/n", "1")
            }
        }
        #expect(error?.code == .conflict)
    }

    @Test func pathsThatCannotBeReachedSayWhy() throws {
        let missing = #expect(throws: StoreError.self) {
            _ = try StoreClient.connect(path: "/nonexistent/socket")
        }
        #expect(missing?.code == .unavailable)
        #expect(missing?.message.contains("/nonexistent/socket") == true)
        #expect(missing?.name == .noEntry)
    }

    /// A client, and its server's end in the test's hands.
    private func pair(timeout: Duration = .seconds(20)) throws -> (StoreClient, ScriptedServer) {
        let (near, far) = try ScriptedServer.pair()
        return (try StoreClient(over: near, requestTimeout: timeout), far)
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
