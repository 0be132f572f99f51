import Synchronization
import Testing
import XenCore
import XenStoreWire
import XenSystem

/// A server's end of a connection, in the hands of a test.
final class ScriptedServer: Sendable {
    private let transport: DescriptorTransport
    private let parser = Mutex(PacketParser())

    init(_ transport: DescriptorTransport) { self.transport = transport }

    /// A client's end of a connection, and a server's.
    static func pair() throws -> (DescriptorTransport, ScriptedServer) {
        let ends = try UnixSocket.pair().split()
        let near = try DescriptorTransport(
            OwnedDescriptor(adopting: ends.near), .socket, name: "a test")
        let far = try DescriptorTransport(
            OwnedDescriptor(adopting: ends.far), .socket, name: "a test")
        return (near, ScriptedServer(far))
    }

    /// Blocks until the client has sent a request.
    func nextRequest() throws -> Packet {
        let deadline = Deadline.after(.seconds(20))
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            if let packet = try parser.withLock({ try $0.next() }) { return packet }
            try #require(!deadline.hasPassed, "no request came")
            try transport.wait(forWriting: false, until: deadline)
            if let count = try transport.read(into: &buffer) {
                try #require(count > 0, "the client has gone")
                let bytes = buffer[..<count]
                parser.withLock { $0.append(bytes) }
            }
        }
    }

    func answer(_ request: Packet, _ payload: String) throws {
        try send(
            try Packet(
                request.operation, requestID: request.requestID, payload: Array(payload.utf8)
            ).bytes)
    }

    /// Ends the connection.
    func close() { transport.close() }

    /// Sends a few bytes, which a socket takes at once.
    func send(_ bytes: [UInt8]) throws {
        #expect(try transport.write(bytes, from: 0) == bytes.count)
    }
}

/// Like `/dev/xen/xenbus`: it answers a WATCH that fails by an error of the write, and all else by packets, later.
final class RefusingDevice: ByteTransport {
    private let near: DescriptorTransport
    private let far: ScriptedServer
    private let requests = Mutex((unansweredCount: 0, overlapCount: 0))
    private let isSilent: Bool

    /// - Parameter isSilent: whether every reply is lost.
    init(isSilent: Bool = false) throws {
        self.isSilent = isSilent
        let ends = try UnixSocket.pair().split()
        near = try DescriptorTransport(
            OwnedDescriptor(adopting: ends.near), .socket, name: "a device")
        far = ScriptedServer(
            try DescriptorTransport(OwnedDescriptor(adopting: ends.far), .socket, name: "a device"))
    }

    /// How many requests came before an earlier one was answered.
    var overlapCount: Int { requests.withLock { $0.overlapCount } }

    var payloadByteCountLimit: Int { 4080 }
    var answersWrites: Bool { true }

    func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        try near.read(into: &buffer)
    }

    func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int {
        var parser = PacketParser()
        parser.append(bytes[offset...])
        guard let packet = try parser.next(), packet.operation != .watch else {
            throw StoreError(.refused, name: .exists, "a device refused")
        }
        if isSilent { return bytes.count - offset }
        requests.withLock {
            $0.overlapCount += $0.unansweredCount
            $0.unansweredCount += 1
        }
        Task {
            await Task.yield()
            requests.withLock { $0.unansweredCount -= 1 }
            try far.answer(packet, "value")
        }
        return bytes.count - offset
    }

    func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError) {
        try near.wait(forWriting: forWriting, until: deadline)
    }

    func wake() { near.wake() }
    func close() { near.close() }
}
