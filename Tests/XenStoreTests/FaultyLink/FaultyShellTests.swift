import Testing
import XenCore
import XenStoreClient
import XenStoreServer
import XenStoreWire

/// The clients that programs use, with their threads and tasks, over links that dribble, stall and break.
@Suite(.timeLimit(.minutes(1))) struct FaultyShellTests {
    private static let patience = Duration.seconds(20)

    /// What became of a write.
    private enum Outcome {
        case done
        /// `.outcomeUnknown`.
        case inDoubt
    }

    @Test(arguments: 1...UInt64(6)) func manyTasks(seed: UInt64) async throws {
        let server = try StoreServer()
        let connector = FaultyConnector(server, seed: seed)
        let store = try await Self.firstConnection {
            try StoreClient(
                reconnecting: connector, requestTimeout: Self.patience, policy: .brief)
        }
        let watch = try await store.watch("/n")
        let outcomes = try await withThrowingTaskGroup(of: [StorePath: Outcome].self) { group in
            for task in 0..<8 {
                group.addTask {
                    var outcomes: [StorePath: Outcome] = [:]
                    for index in 0..<40 {
                        let path = try path("/n/\(task)/\(index)")
                        outcomes[path] = try await Self.outcome { () throws(StoreError) in
                            try await store.write(path, path.bytes)
                        }
                        if outcomes[path] == .done {
                            let value = try await store.read(path)
                            #expect(value == path.bytes)
                        }
                    }
                    return outcomes
                }
            }
            return try await group.reduce(into: [:]) { all, some in
                all.merge(some) { first, _ in first }
            }
        }
        connector.heal()
        try await expectAll(outcomes, in: store)
        while (try? await watch.next(until: .now)) != nil {}
        try await store.write("/n/last", "x")
        // The watch lives on.
        while try await watch.next(until: .after(Self.patience)) != .changed("/n/last") {}
        #expect(store.epoch > Epoch.none.next)
        store.close()
        server.stop()
    }

    private func expectAll(_ outcomes: [StorePath: Outcome], in store: StoreClient) async throws {
        #expect(outcomes.count == 320)
        for (path, outcome) in outcomes where outcome == .done {
            let value = try await store.read(path)
            #expect(value == path.bytes)
        }
    }

    @Test(arguments: 1...UInt64(6)) func oneThread(seed: UInt64) async throws {
        let server = try StoreServer()
        let connector = FaultyConnector(server, seed: seed)
        let store = try await Self.firstConnection {
            try BlockingStoreClient(
                reconnecting: connector, requestTimeout: Self.patience, policy: .brief)
        }
        _ = try store.watch("/n")
        for index in 0..<300 {
            let path = try path("/n/\(index)")
            do throws(StoreError) { try store.write(path, path.bytes) } catch {
                #expect(error.code == .outcomeUnknown)
                continue
            }
            #expect(try store.read(path) == path.bytes)
        }
        connector.heal()
        try store.write("/n/last", "x")
        #expect(try store.readString("/n/last") == "x")
        _ = try store.nextEvent(until: .after(Self.patience))
        #expect(store.epoch > Epoch.none.next)
        server.stop()
    }

    private static func outcome(
        _ write: () async throws(StoreError) -> Void
    ) async throws -> Outcome {
        do throws(StoreError) { try await write() } catch {
            guard error.code == .outcomeUnknown else { throw error }
            return .inDoubt
        }
        return .done
    }

    /// A client's first connection is not tried again by itself.
    private static func firstConnection<Client>(_ connect: () throws -> Client) async throws
        -> Client
    {
        while true {
            do { return try connect() } catch let error as StoreError {
                guard error.code == .unavailable else { throw error }
            }
        }
    }
}
