import Foundation
import Testing
import XenCore
import XenStoreClient
import XenStoreServer
import XenStoreWire

/// The server's thread and sockets, against clients that misbehave.
@Suite(.timeLimit(.minutes(1))) struct ServerShellTests {
    @Test func anOversizedLengthEndsThatConnectionOnly() async throws {
        let server = try StoreServer()
        let healthy = try server.client(0)
        let hostile = try server.connect(as: DomainID(3))
        let header = PacketHeader(
            operation: .read, requestID: 1, transaction: .none, payloadByteCount: 4097)
        _ = try hostile.write(header.bytes, from: 0)
        #expect(try end(of: hostile))
        try await healthy.write("/a", "1")
    }

    @Test func aPacketMayDribble() throws {
        let server = try StoreServer()
        let slow = try server.connect(as: .dom0)
        for byte in try Packet(.read, requestID: 5, payload: Array("/tool\0".utf8)).bytes {
            #expect(try slow.write([byte], from: 0) == 1)
        }
        #expect(try nextPacket(slow).requestID == 5)
    }

    @Test func aClientThatNeverReadsIsHeldBackAndOthersAreServed() async throws {
        var quota = StoreQuota()
        quota.outputByteCount = 1 << 16
        let server = try StoreServer(quota: quota)
        let healthy = try server.client(0)
        try await healthy.write("/large", [UInt8](repeating: 1, count: 4000))
        let greedy = try server.connect(as: .dom0)
        let request = try Packet(.read, requestID: 1, payload: Array("/large\0".utf8)).bytes
        // Until the server stops reading, and the socket is full.
        var sentCount = 0
        while try greedy.write(request, from: 0) == request.count { sentCount += 1 }
        _ = try await healthy.read("/large")
        // Then it reads after all, and finds every reply that it asked for.
        for _ in 0..<min(sentCount, 500) { #expect(try nextPacket(greedy).payload.count == 4000) }
        greedy.close()
        try await healthy.write("/a", "1")
    }

    @Test func aWatcherThatNeverReadsIsLetGo() async throws {
        var quota = StoreQuota()
        quota.outputByteCount = 1 << 16
        let server = try StoreServer(quota: quota)
        let healthy = try server.client(0)
        let deaf = try server.connect(as: .dom0)
        _ = try deaf.write(
            try Packet(.watch, requestID: 1, payload: Array("/\0t\0".utf8)).bytes, from: 0)
        _ = try nextPacket(deaf)
        // Each of another path: identical events that wait are one.
        for index in 0..<6000 { try await healthy.write(try path("/n\(index)"), "x") }
        #expect(try end(of: deaf))
    }

    @Test func aDomainThatIsReleasedLosesItsConnections() async throws {
        let server = try StoreServer()
        let toolstack = try server.client(0)
        let guest = try server.client(3)
        _ = try? await guest.read("/a")
        let watch = try await toolstack.watch(.releaseDomain)
        _ = try await watch.next()
        try server.release(DomainID(3))
        #expect(try await watch.next() == .changed(.releaseDomain))
        await #expect(throws: StoreError.self) { _ = try await guest.read("/a") }
    }

    @Test func aStaleSocketIsReplacedAndALiveOneIsNot() async throws {
        let socket = try TemporarySocket()
        let first = try StoreServer()
        try first.listen(path: socket.path)
        let second = try StoreServer()
        let live = #expect(throws: StoreError.self) { try second.listen(path: socket.path) }
        #expect(live?.message.contains("another server") == true)
        // What a killed server leaves: a socket file with nobody behind it.
        try FileManager.default.moveItem(atPath: socket.path, toPath: socket.path + ".stale")
        first.stop()
        try second.listen(path: socket.path + ".stale")
        #expect(try await StoreClient.connect(path: socket.path + ".stale").exists("/tool"))
    }

    @Test func pathsThatCannotBeServedSayWhy() throws {
        let server = try StoreServer()
        let missing = #expect(throws: StoreError.self) {
            try server.listen(path: "/nonexistent/socket")
        }
        #expect(missing?.message.contains("folder") == true)
        let socket = try TemporarySocket()
        try Data().write(to: URL(fileURLWithPath: socket.path))
        #expect(throws: StoreError.self) { try server.listen(path: socket.path) }
        #expect(FileManager.default.fileExists(atPath: socket.path))
        let long = String(repeating: "x", count: 200)
        #expect(throws: StoreError.self) { try server.listen(path: "/tmp/\(long)") }
    }

    @Test func onlyItsUserMayConnect() throws {
        let socket = try TemporarySocket()
        let server = try StoreServer()
        try server.listen(path: socket.path)
        let attributes = try FileManager.default.attributesOfItem(atPath: socket.path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func stoppingRemovesTheSocketAndRefusesMore() throws {
        let socket = try TemporarySocket()
        let server = try StoreServer()
        try server.listen(path: socket.path)
        server.stop()
        server.stop()
        #expect(!FileManager.default.fileExists(atPath: socket.path))
        #expect(throws: StoreError.self) { _ = try server.connect(as: .dom0) }
        #expect(throws: StoreError.self) { try server.listen(path: socket.path) }
    }

    @Test func garbageHarmsOnlyItsSender() async throws {
        let server = try StoreServer()
        let healthy = try server.client(0)
        var random = SplitMix(seed: 3)
        for _ in 0..<200 {
            let hostile = try server.connect(as: DomainID(3))
            for _ in 0..<20 {
                let payload = (0..<Int.random(in: 0..<64, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                let packet = try Packet(
                    StoreOperation(rawValue: UInt32.random(in: 0...30, using: &random)),
                    requestID: 1,
                    payload: payload)
                _ = try? hostile.write(packet.bytes, from: 0)
            }
            _ = try? hostile.write([UInt8](repeating: 0xFF, count: 16), from: 0)
        }
        #expect(try await healthy.exists("/tool"))
    }

    /// Whether the server ends the connection.
    private func end(of transport: some ByteTransport) throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let deadline = Deadline.after(.seconds(20))
        while !deadline.hasPassed {
            do {
                if try transport.read(into: &buffer) == 0 { return true }
            } catch { return true }
            try transport.wait(forWriting: false, until: deadline)
        }
        return false
    }

    private func nextPacket(_ transport: some ByteTransport) throws -> Packet {
        var parser = PacketParser()
        let deadline = Deadline.after(.seconds(20))
        // Byte by byte, so that nothing of the next packet is taken.
        var byte: [UInt8] = [0]
        while !deadline.hasPassed {
            if let packet = try parser.next() { return packet }
            guard let count = try transport.read(into: &byte) else {
                try transport.wait(forWriting: false, until: deadline)
                continue
            }
            try #require(count == 1, "the server has closed the connection")
            parser.append(byte)
        }
        throw StoreError(.timedOut, "no packet came")
    }
}
