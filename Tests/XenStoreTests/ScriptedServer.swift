import Synchronization
import Testing
import XenCore
import XenStoreWire
import XenSystem

/// A server's end of a connection, in the hands of a test.
final class ScriptedServer: Sendable {
    private let transport: SocketTransport
    private let parser = Mutex(PacketParser())

    init(_ transport: SocketTransport) { self.transport = transport }

    /// A client's end of a connection, and a server's.
    static func pair() throws -> (SocketTransport, ScriptedServer) {
        let ends = try UnixSocket.pair().split()
        let near = try SocketTransport(
            OwnedDescriptor(adopting: ends.near), name: "a test")
        let far = try SocketTransport(
            OwnedDescriptor(adopting: ends.far), name: "a test")
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
