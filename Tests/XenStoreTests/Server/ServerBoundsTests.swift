import Testing
import XenCore
import XenStoreClient
import XenStoreServer
import XenStoreWire

/// What clients that want too much cost: a little, and themselves alone.
@Suite(.timeLimit(.minutes(1))) struct ServerBoundsTests {
    @Test func whatAConnectionHasIsVisible() async throws {
        let server = try StoreServer()
        let client = try server.connect(as: DomainID(3))
        try send(client, .watch, "@x\0t\0")
        try send(client, .transactionStart, "\0")
        try send(client, .getDomainPath, "3\0")
        _ = try packets(client, 4)
        let connection = try #require(server.connections.first)
        #expect(server.connections.count == 1)
        #expect(connection.domain == DomainID(3) && !connection.isRing)
        #expect(connection.watchCount == 1 && connection.transactionCount == 1)
        #expect(connection.queuedByteCount == 0 && !connection.isHeldBack)
        #expect(connection.memoryByteCount > 0 && connection.memoryByteCount < 32768)
    }

    /// More than one turn's budget, and more than one read.
    @Test(arguments: [UInt16(0), 3]) func manyRequestsWrittenAtOnceAreAllAnswered(
        _ domain: UInt16
    ) throws {
        let server = try StoreServer()
        let client = try server.connect(as: DomainID(domain))
        let request = try Packet(.getDomainPath, requestID: 1, payload: Array("3\0".utf8)).bytes
        let all = (0..<2000).flatMap { _ in request }
        var sent = 0
        var parser = PacketParser()
        var answered = 0
        var buffer = [UInt8](repeating: 0, count: 65536)
        while answered < 2000 {
            if sent < all.count { sent += try client.write(all, from: sent) }
            try client.wait(forWriting: false, until: .after(.seconds(20)))
            if let count = try client.read(into: &buffer) { parser.append(buffer[..<count]) }
            while try parser.next() != nil { answered += 1 }
            #expect(server.connections.allSatisfy { $0.memoryByteCount < 200_000 })
        }
    }

    @Test func connectionsThatComeAndGoLeaveNothing() async throws {
        let server = try StoreServer()
        let healthy = try server.client(0)
        for _ in 0..<500 {
            let client = try server.connect(as: DomainID(3))
            try send(client, .watch, "@x\0t\0")
            client.close()
        }
        try await healthy.write("/a", "1")
        while server.connections.count > 1 { await Task.yield() }
    }

    @Test func aStalledReaderIsEnded() throws {
        let notices = NoticeLog()
        let server = try StoreServer(stallTimeout: .milliseconds(20)) { notices.append($0) }
        let greedy = try server.connect(as: .dom0)
        let value = String(repeating: "x", count: 4000)
        try send(greedy, .write, "/large\0\(value)")
        _ = try packets(greedy, 1)
        let request = try Packet(.read, requestID: 1, payload: Array("/large\0".utf8)).bytes
        while (try? greedy.write(request, from: 0)) == request.count {}
        #expect(
            notices.hears {
                if case .stalled(.dom0, let byteCount) = $0 { byteCount > 1 << 18 } else { false }
            })
        #expect(server.connections.isEmpty)
    }

    /// A client with a watch on `/w` that takes no reply any more, and is held back.
    private func deafWatcher(
        of server: StoreServer, _ healthy: StoreClient
    ) async throws -> some ByteTransport {
        try await healthy.write("/large", [UInt8](repeating: 1, count: 4000))
        let deaf = try server.connect(as: .dom0)
        try send(deaf, .watch, "/w\0t\0")
        _ = try packets(deaf, 2)
        let request = try Packet(.read, requestID: 1, payload: Array("/large\0".utf8)).bytes
        while try deaf.write(request, from: 0) == request.count {}
        while heldBack(server) == nil { await Task.yield() }
        return deaf
    }

    /// As in the C daemon: whoever reads the one event looks at what is there by then.
    @Test func identicalEventsThatWaitAreOne() async throws {
        let server = try StoreServer()
        let healthy = try server.client(0)
        let deaf = try await deafWatcher(of: server, healthy)
        defer { deaf.close() }
        let before = queuedByteCount(server)
        for _ in 0..<100 { try await healthy.write("/w", "x") }
        let event = try Packet(.watchEvent, requestID: 0, payload: Array("/w\0t\0".utf8))
        #expect(queuedByteCount(server) == before + event.bytes.count)
    }

    /// What is kept to know identical events counts, and all has an end.
    @Test func aFloodOfEventsIsCountedAndBounded() async throws {
        let server = try StoreServer()
        let healthy = try server.client(0)
        let deaf = try await deafWatcher(of: server, healthy)
        defer { deaf.close() }
        let before = try #require(heldBack(server))
        #expect(before.memoryByteCount < 1 << 20)
        let long = String(repeating: "x", count: 2000)
        for index in 0..<100 { try await healthy.write(try path("/w/\(long)\(index)"), "x") }
        let after = try #require(heldBack(server))
        let eventByteCount = after.queuedByteCount - before.queuedByteCount
        #expect(eventByteCount > 100 * 2000)
        #expect(after.memoryByteCount > after.queuedByteCount + 100 * 2000)
        var most = after.memoryByteCount
        for index in 100..<600 {
            try await healthy.write(try path("/w/\(long)\(index)"), "x")
            most = max(most, server.connections.map(\.memoryByteCount).max() ?? 0)
        }
        #expect(most < 4 << 20)
        #expect(heldBack(server) == nil)
    }

    @Test func aRestartEndsEveryConnection() async throws {
        let server = try StoreServer()
        let client = try server.connect(as: .dom0)
        try server.disconnectAll()
        try client.wait(forWriting: false, until: .after(.seconds(20)))
        var buffer: [UInt8] = [0]
        #expect(try client.read(into: &buffer) == 0)
        #expect(server.connections.isEmpty)
        _ = try await server.client(0).exists("/tool")
    }

    private func heldBack(_ server: StoreServer) -> StoreServerConnection? {
        server.connections.first { $0.isHeldBack }
    }

    private func queuedByteCount(_ server: StoreServer) -> Int {
        server.connections.reduce(0) { $0 + $1.queuedByteCount }
    }

    private func send(
        _ transport: some ByteTransport, _ operation: StoreOperation, _ payload: String
    ) throws {
        let bytes = try Packet(operation, requestID: 1, payload: Array(payload.utf8)).bytes
        #expect(try transport.write(bytes, from: 0) == bytes.count)
    }

    private func packets(_ transport: some ByteTransport, _ count: Int) throws -> [Packet] {
        var parser = PacketParser()
        var buffer = [UInt8](repeating: 0, count: 4096)
        var found: [Packet] = []
        let deadline = Deadline.after(.seconds(20))
        while found.count < count, !deadline.hasPassed {
            try transport.wait(forWriting: false, until: deadline)
            if let count = try transport.read(into: &buffer) { parser.append(buffer[..<count]) }
            while let packet = try parser.next() { found.append(packet) }
        }
        #expect(found.count == count)
        return found
    }
}
