import Synchronization
import Testing
import XenCore
import XenStoreClient
import XenStoreWire
import XenSystem

/// A server that is slow to take new connections, so that its queue of them is full.
@Suite(.timeLimit(.minutes(1))) struct BusyServerTests {
    @Test func clientsThatStartTogetherAreAllServed() throws {
        let queue = try FullQueue()
        try queue.fill()
        let outcomes = Mutex<[String]>([])
        let path = queue.path
        let start = { @Sendable in
            let outcome = Result { () throws -> String in
                let client = try BlockingStoreClient.connect(
                    path: path, requestTimeout: .seconds(20))
                return try client.readString("/a")
            }
            outcomes.withLock { $0.append((try? outcome.get()) ?? "\(outcome)") }
        }
        let first = try PlatformThread(start)
        let second = try PlatformThread(start)
        let third = try PlatformThread(start)
        // Each has met the full queue by then, most likely.
        try pause(.milliseconds(30))
        try queue.drain()
        for _ in 0..<3 {
            let server = try queue.accept()
            try server.answer(try server.nextRequest(), "1")
        }
        first.join()
        second.join()
        third.join()
        #expect(outcomes.withLock { $0 } == ["1", "1", "1"])
    }

    @Test func aClientForTasksWaitsForItsFirstConnection() throws {
        let queue = try FullQueue()
        try queue.fill()
        let path = queue.path
        let outcome = Mutex<Result<StoreClient, any Error>?>(nil)
        let thread = try PlatformThread {
            let result = Result {
                try StoreClient.connect(path: path, requestTimeout: .seconds(20))
            }
            outcome.withLock { $0 = result }
        }
        try pause(.milliseconds(20))
        try queue.drain()
        _ = try queue.accept()
        thread.join()
        #expect(throws: Never.self) { try outcome.withLock { try $0?.get() }?.close() }
    }

    @Test func theFirstConnectionHasADeadline() throws {
        let queue = try FullQueue()
        try queue.fill()
        let error = #expect(throws: StoreError.self) {
            _ = try StoreClient.connect(path: queue.path, requestTimeout: .milliseconds(40))
        }
        #expect(error?.code == .unavailable && error?.name == .again)
    }

    @Test func laterConnectionsAreTriedBesideTheDeadlinesOfRequests() async throws {
        let queue = try FullQueue()
        let client = try StoreClient.connect(path: queue.path, requestTimeout: .seconds(20))
        let first = try queue.accept()
        try queue.fill()
        first.close()
        let late = await #expect(throws: StoreError.self) {
            _ = try await client.perform(.read("/a"), until: .after(.milliseconds(30)))
        }
        #expect(late?.code == .timedOut)
        let reading = Task { try await client.readString("/a") }
        try queue.drain()
        let second = try queue.accept()
        try second.answer(try second.nextRequest(), "again")
        #expect(try await reading.value == "again")
    }
}
