import Testing
import XenCore
import XenStoreClient
import XenStoreWire

/// Clients over a store page and an event channel. Source: docs/misc/xenstore-ring.txt.
@Suite(.timeLimit(.minutes(1))) struct RingTransportTests {
    private func connector(_ server: RingServer) -> RingConnector {
        RingConnector(
            page: server.page.memory, channel: server.clientChannel, events: server.clientEvents)
    }

    private func client(_ server: RingServer) throws -> StoreClient {
        try server.start()
        return try StoreClient(
            reconnecting: connector(server), requestTimeout: .seconds(20), policy: .brief)
    }

    @Test func packetsLargerThanTheRingGoThrough() async throws {
        let server = try RingServer()
        defer { server.stop() }
        let client = try client(server)
        let octets = (0..<4095).map { UInt8($0 % 250 + 1) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let echo = try await client.perform(.control([octets]))
                    #expect(echo == octets + [0])
                }
            }
            try await group.waitForAll()
        }
        client.close()
    }

    @Test func aBlockingClientUsesARingToo() throws {
        let server = try RingServer(features: [])
        defer { server.stop() }
        try server.start()
        let store = try BlockingStoreClient(
            reconnecting: connector(server), requestTimeout: .seconds(20))
        let requests = (0..<100).map { _ in Request.read("/a") }
        // Nothing was reset: the server offers no reconnection.
        let values = store.perform(contentsOf: requests).map { try? $0.get() }
        #expect(values == requests.map { _ in [0x31] })
    }

    @Test func everyConnectionBeginsWithAReset() async throws {
        let server = try RingServer()
        defer { server.stop() }
        let client = try client(server)
        #expect(try await client.readString("/a") == "2")
        client.close()
    }

    @Test(arguments: [RingFault.communication, .index, .protocolViolation])
    func aRingThatTheServerGaveUpIsReset(fault: RingFault) async throws {
        let server = try RingServer()
        defer { server.stop() }
        let client = try client(server)
        let watch = try await client.watch("/a")
        #expect(try await watch.next() == .changed("/a"))
        try server.fail(fault)
        #expect(try await client.nextEpoch(after: Epoch(rawValue: 1), until: soon).rawValue >= 2)
        #expect(try await client.readString("/a") == "3")
        #expect(try await watch.next(until: soon) == .lookAgain)
        client.close()
    }

    @Test func aCorruptIndexEndsTheEpochOnly() async throws {
        let server = try RingServer()
        defer { server.stop() }
        let client = try client(server)
        #expect(try await client.readString("/a") == "2")
        try server.corruptIndex()
        _ = try await client.nextEpoch(after: Epoch(rawValue: 1), until: soon)
        #expect(try await client.readString("/a") == "3")
        client.close()
    }

    @Test func featuresAreReadAgainAfterEachReset() throws {
        let server = try RingServer(features: [.reconnection, .error, .watchDepth])
        defer { server.stop() }
        try server.start()
        let connector = connector(server)
        let first = try #require(try connector.connect(until: soon) as? RingTransport)
        server.offerAfterReset([.reconnection])
        let second = try #require(try connector.connect(until: soon) as? RingTransport)
        #expect(first.features == [.reconnection, .error, .watchDepth])
        #expect(second.features == [.reconnection])
    }

    @Test func untilTheServerIsThereNothingIsTouched() throws {
        let server = try RingServer(connection: .reconnecting)
        defer { server.stop() }
        let before = server.page.memory.bytes(at: 0, count: Page.byteCount)
        let connector = connector(server)
        let error = #expect(throws: StoreError.self) {
            _ = try connector.connect(until: .after(.milliseconds(5)))
        }
        #expect(error?.code == .unavailable)
        #expect(server.page.memory.bytes(at: 0, count: Page.byteCount) == before)
        try server.start()
        _ = try connector.connect(until: soon)
        #expect(server.page.connection == .connected)
    }

    @Test func aServerThatDoesNotAnswerAResetIsAskedOnce() async throws {
        let server = try RingServer()
        defer { server.stop() }
        let client = try client(server)
        #expect(try await client.readString("/a") == "2")
        server.answerResets(false)
        try server.fail(.index)
        let late = await #expect(throws: StoreError.self) {
            _ = try await client.perform(.read("/a"), until: .after(.milliseconds(200)))
        }
        #expect(late?.code == .timedOut)
        server.answerResets(true)
        #expect(try await client.readString("/a") == "3")
        client.close()
    }

    @Test func withoutReconnectionThereIsOneConnection() throws {
        let server = try RingServer(features: [.error])
        defer { server.stop() }
        try server.start()
        let connector = connector(server)
        _ = try connector.connect(until: soon)
        let error = #expect(throws: StoreError.self) { _ = try connector.connect(until: soon) }
        #expect(error?.code == .unavailable)
    }

    private var soon: Deadline { .after(.seconds(20)) }
}
