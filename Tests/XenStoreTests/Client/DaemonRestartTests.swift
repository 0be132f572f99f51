import StoreDaemons
import Testing
import XenCore
import XenStoreClient
import XenStoreWire
import XenTesting

/// Xen's own daemons, killed and started again under clients that live on.
@Suite(.serialized, .timeLimit(.minutes(2))) struct DaemonRestartTests {
    @Test(arguments: DaemonKind.allCases)
    func aClientGoesOnInANewEpoch(_ kind: DaemonKind) async throws {
        let daemon = try StoreDaemon(kind)
        let store = try StoreClient.connect(path: daemon.socket, requestTimeout: .seconds(20))
        try await store.write("/a", "1")
        let watch = try await store.watch("/a")
        #expect(try await watch.next() == .changed("/a"))
        let first = store.epoch
        var attempts = 0
        try await store.withTransaction { inside throws(StoreError) in
            attempts += 1
            if attempts == 1 {
                #expect(try await inside.readString("/a") == "1")
                daemon.stop()
                do { try daemon.start() } catch { Issue.record(error) }
            }
            // The daemon of now knows nothing of what was.
            #expect(try await inside.exists("/a") == false)
            try await inside.write("/a", "2")
        }
        #expect(attempts == 2)
        #expect(try await watch.next() == .lookAgain)
        #expect(store.epoch > first)
        #expect(try await store.readString("/a") == "2")
        #expect(try await watch.next() == .changed("/a"))
        for check in StoreConformance.checks { try await check.run(store) }
        store.close()
        daemon.stop()
    }

    @Test(arguments: DaemonKind.allCases)
    func aBlockingClientGoesOnInANewEpoch(_ kind: DaemonKind) throws {
        let daemon = try StoreDaemon(kind)
        let store = try BlockingStoreClient.connect(
            path: daemon.socket, requestTimeout: .seconds(20))
        let watch = try store.watch("/a")
        #expect(try store.nextEvent(until: .after(.seconds(20))) == (watch, .changed("/a")))
        daemon.stop()
        let late = #expect(throws: StoreError.self) {
            try store.perform(.write("/a", []), until: .after(.milliseconds(20)))
        }
        #expect([.timedOut, .outcomeUnknown].contains(late?.code))
        try daemon.start()
        #expect(try store.nextEvent(until: .after(.seconds(20))) == (watch, .lookAgain))
        try store.write("/a", "2")
        #expect(try store.readString("/a") == "2")
        daemon.stop()
    }
}
