import Testing
import XenCore
import XenStoreClient
import XenStoreServer
import XenStoreWire
import XenSystem

/// The client that has no thread of its own.
@Suite(.timeLimit(.minutes(1))) struct BlockingClientTests {
    private func client(_ server: StoreServer) throws -> BlockingStoreClient {
        try BlockingStoreClient(over: try server.connect(as: .dom0), requestTimeout: .seconds(20))
    }

    @Test func everyDayOperations() throws {
        let server = try StoreServer()
        let store = try client(server)
        try store.write("/a/b", "1")
        try store.makeDirectory("/a/c")
        #expect(try store.readString("/a/b") == "1")
        #expect(try store.directory("/a") == ["b", "c"])
        try store.setPermissions("/a/c", [Permission(.read, for: .dom0)])
        #expect(try store.permissions("/a/c") == [Permission(.read, for: .dom0)])
        try store.remove("/a")
        let missing = #expect(throws: StoreError.self) { _ = try store.read("/a") }
        #expect(missing?.name == .noEntry)
    }

    @Test func manyRequestsAreOnTheirWayAtATime() throws {
        let server = try StoreServer()
        let store = try client(server)
        let paths = try (0..<1000).map { try path("/n/\($0)") }
        let written = store.perform(contentsOf: paths.map { .write($0, $0.bytes) })
        #expect(written.allSatisfy { $0.failure == nil })
        for window in [1, 16, 5000] {
            let read = store.perform(
                contentsOf: (paths + ["/none"]).map { .read($0) }, window: window)
            #expect(read.dropLast().map { try? $0.get() } == paths.map(\.bytes))
            #expect(read.last?.failure?.name == .noEntry)
        }
    }

    @Test func eventsOfItsWatchesTakeTurns() throws {
        let server = try StoreServer()
        let (store, other) = (try client(server), try client(server))
        let (a, b) = (try store.watch("/a"), try store.watch("/b"))
        try other.write("/a/1", "")
        try other.write("/a/2", "")
        try other.write("/b/1", "")
        // A request of its own, during which the events come.
        _ = try? store.read("/a")
        var events: [StorePath: [WatchEvent]] = [:]
        for _ in 0..<5 {
            let (watch, event) = try store.nextEvent(until: .after(.seconds(20)))
            events[watch.path, default: []].append(event)
        }
        #expect(
            events == [
                "/a": [.changed("/a"), .changed("/a/1"), .changed("/a/2")],
                "/b": [.changed("/b"), .changed("/b/1")],
            ])
        let late = #expect(throws: StoreError.self) {
            _ = try store.nextEvent(until: .after(.milliseconds(5)))
        }
        #expect(late?.code == .timedOut)
        store.end(a)
        try other.write("/a/3", "")
        try other.write("/b/3", "")
        #expect(try store.nextEvent(until: .after(.seconds(20))) == (b, .changed("/b/3")))
    }

    @Test func transactionsConflictAndAreTriedAgain() throws {
        let server = try StoreServer()
        let (store, other) = (try client(server), try client(server))
        try store.write("/n", "0")
        var attempts = 0
        try store.withTransaction { inside throws(StoreError) in
            attempts += 1
            let value = try inside.readString("/n")
            if attempts == 1 { try other.write("/n", "5") }
            try inside.write("/n", value + "+")
        }
        #expect(attempts == 2)
        #expect(try store.readString("/n") == "5+")
        let error = #expect(throws: StoreError.self) {
            try store.withTransaction(attempts: 3) { inside throws(StoreError) in
                _ = try inside.read("/n")
                try other.write("/n", "1")
            }
        }
        #expect(error?.code == .conflict)
    }

    @Test func aServerThatComesAgainBeginsANewEpoch() throws {
        let first = try StoreServer()
        let connector = SwitchedConnector(first)
        let store = try BlockingStoreClient(
            reconnecting: connector, requestTimeout: .seconds(20),
            policy: .brief)
        let watch = try store.watch("/a")
        #expect(try store.nextEvent(until: .after(.seconds(20))) == (watch, .changed("/a")))
        let second = try StoreServer()
        connector.use(second)
        first.stop()
        #expect(try store.nextEvent(until: .after(.seconds(20))) == (watch, .lookAgain))
        #expect(store.epoch == Epoch.none.next.next)
        try store.write("/a", "1")
        connector.use(nil)
        second.stop()
        let late = #expect(throws: StoreError.self) {
            _ = try store.perform(.read("/a"), until: .after(.milliseconds(20)))
        }
        #expect(late?.code == .timedOut)
    }

    @Test func aSilentServerMakesADeadlineError() throws {
        let (near, far) = try ScriptedServer.pair()
        let store = try BlockingStoreClient(over: near)
        let error = #expect(throws: StoreError.self) {
            _ = try store.perform(.read("/a"), until: .after(.milliseconds(20)))
        }
        #expect(error?.code == .timedOut)
        try far.answer(try far.nextRequest(), "late")
        let second = #expect(throws: StoreError.self) {
            _ = try store.perform(.read("/b"), until: .after(.milliseconds(20)))
        }
        #expect(second?.code == .timedOut)
        #expect(store.counters.lateReplies == 1)
        far.close()
        let end = #expect(throws: StoreError.self) { _ = try store.read("/c") }
        #expect(end?.code == .disconnected)
        #expect(store.disconnection?.code == .disconnected)
    }
}
