import Synchronization
import Testing
import XenCore
import XenStoreServer
import XenStoreWire
import XenSystem

@testable import XenStoreClient

/// Waiting until nodes are as wanted.
@Suite(.timeLimit(.minutes(1))) struct ConditionTests {
    private let soon = Deadline.after(.seconds(20))

    /// Condition, values, and whether it holds. Made anew each time: to a leak checker, a condition that is kept in a
    /// static has nobody who knows of it, since such a pointer carries the condition's kind.
    static var table: [(StoreCondition, [StorePath: [UInt8]], Bool)] {
        [
            (.node("/a", .exists), [:], false), (.node("/a", .exists), ["/a": []], true),
            (.node("/a", .absent), [:], true), (.node("/a", .absent), ["/a": []], false),
            (.node("/a", .equals("1")), ["/a": [0x31]], true),
            (.node("/a", .equals("1")), ["/a": [0x32]], false),
            (.node("/a", .equals([])), [:], false),
            (.node("/a", .satisfies { $0?.count == 2 }), ["/a": [1, 2]], true),
            (.any([]), [:], false), (.all([]), [:], true),
            (.any([.node("/a", .exists), .node("/b", .exists)]), ["/b": []], true),
            (.all([.node("/a", .exists), .node("/b", .exists)]), ["/b": []], false),
            (.all([.node("/a", .absent), .any([.node("/b", .exists)])]), ["/b": []], true),
        ]
    }

    @Test(arguments: table.indices) func conditionsAreTables(index: Int) {
        let (condition, values, holds) = Self.table[index]
        #expect(condition.holds(of: values) == holds)
    }

    @Test func aNodeIsWaitedFor() async throws {
        let server = try StoreServer()
        let client = try server.client(0)
        let waiting = Task {
            try await client.wait(for: "/a/state", until: .equals("4"), deadline: soon)
        }
        for value in 1...4 { try await client.write("/a/state", "\(value)") }
        #expect(try await waiting.value == [0x34])
        let removal = Task {
            try await client.wait(for: "/a/state", until: .absent, deadline: soon)
        }
        try await client.remove("/a")
        #expect(try await removal.value == nil)
    }

    @Test func severalNodesAreWaitedFor() async throws {
        let server = try StoreServer()
        let client = try server.client(0)
        let any = Task {
            try await client.wait(
                for: .any([.node("/a", .exists), .node("/b", .exists)]), deadline: soon)
        }
        let all = Task {
            try await client.wait(
                for: .all([.node("/a", .exists), .node("/b", .exists)]), deadline: soon)
        }
        try await client.write("/b", "2")
        #expect(try await any.value == ["/b": [0x32]])
        try await client.write("/a", "1")
        #expect(try await all.value == ["/a": [0x31], "/b": [0x32]])
        #expect(try await client.wait(for: .all([]), deadline: soon) == [:])
    }

    @Test func waitsEndByDeadlineAndCancellation() async throws {
        let server = try StoreServer()
        let client = try server.client(0)
        let conditions: [StoreCondition] = [
            .node("/a", .exists), .any([]), .any([.node("/a", .exists), .node("/b", .exists)]),
        ]
        for condition in conditions {
            let late = await #expect(throws: StoreError.self) {
                try await client.wait(for: condition, deadline: .after(.milliseconds(5)))
            }
            #expect(late?.code == .timedOut)
            let waiting = Task { try await client.wait(for: condition, deadline: soon) }
            waiting.cancel()
            #expect((await waiting.result.failure as? StoreError)?.code == .cancelled)
        }
    }

    @Test func aWaitOutlivesTheServer() async throws {
        let first = try StoreServer()
        let connector = SwitchedConnector(first)
        let client = try StoreClient(
            reconnecting: connector, requestTimeout: .seconds(20),
            policy: .brief)
        let waiting = Task { try await client.wait(for: "/a", until: .exists, deadline: soon) }
        _ = try await client.exists("/b")
        let second = try StoreServer()
        let writer = try second.client(0)
        try await writer.write("/a", "1")
        connector.use(second)
        first.stop()
        #expect(try await waiting.value == [0x31])
    }

    /// Each request would take a thousand seconds, if it were let.
    @Test func aSilentServerCannotMakeAWaitLonger() async throws {
        let (near, far) = try ScriptedServer.pair()
        let client = try StoreClient(over: near, requestTimeout: .seconds(1000))
        let late = await #expect(throws: StoreError.self) {
            try await client.wait(
                for: .all([.node("/a", .exists), .node("/b", .exists)]),
                deadline: .after(.milliseconds(50)))
        }
        #expect(late?.code == .timedOut)
        withExtendedLifetime(far) {}
    }

    /// The first watch and the first read are left unanswered, for longer than a request may take.
    @Test func requestsThatTakeTooLongDoNotEndAWait() async throws {
        let (near, far) = try ScriptedServer.pair()
        let client = try StoreClient(over: near, requestTimeout: .milliseconds(20))
        let seen = Mutex<[StoreOperation: Int]>([:])
        let thread = try PlatformThread {
            while let request = try? far.nextRequest(), request.operation != .remove {
                let count = seen.withLock {
                    $0[request.operation, default: 0] += 1
                    return $0[request.operation]
                }
                if count != 1 { try? far.answer(request, "OK\0") }
            }
        }
        let value = try await client.wait(for: "/a", until: .exists, deadline: soon)
        #expect(value == Array("OK\0".utf8))
        try? await client.remove("/end")
        thread.join()
        #expect(seen.withLock { $0[.watch, default: 0] >= 2 && $0[.read, default: 0] >= 2 })
    }
}
