package import XenCore
package import XenStoreWire
import XenSystem

/// Packets over any transport, one after the other, for tests that say when.
package final class PacketConnection {
    private let transport: any ByteTransport
    private var parser = PacketParser()
    private var buffer = [UInt8](repeating: 0, count: 4096)
    private var lastRequest: UInt32 = 0
    /// Asked while nothing comes: a ring does not say that its server has gone.
    private let serverRuns: () -> Bool

    /// Whether the server has ended the connection.
    package private(set) var isClosed = false

    package init(
        over transport: any ByteTransport, while serverRuns: @escaping () -> Bool = { true }
    ) {
        self.transport = transport
        self.serverRuns = serverRuns
    }

    /// Connects to a socket, as dom0. A daemon that has a connection waiting already takes no second one yet
    /// (both listen with a backlog of 1), so this blocks until it does.
    package convenience init(to socket: String, until deadline: Deadline = .after(.seconds(20)))
        throws
    {
        let descriptor = try Self.connected(to: socket, until: deadline)
        self.init(over: try SocketTransport(descriptor, name: socket))
    }

    private static func connected(
        to socket: String, until deadline: Deadline
    ) throws(SystemFailure) -> OwnedDescriptor {
        while true {
            do throws(SystemFailure) { return try UnixSocket.connect(to: socket) } catch {
                guard error.errorNumber == .again, !deadline.hasPassed else { throw error }
            }
            try pause(.milliseconds(1))
        }
    }

    deinit { transport.close() }

    /// Sends bytes, all of them, whether or not they are a packet.
    package func send(_ bytes: [UInt8], until deadline: Deadline) throws {
        var sent = 0
        while sent < bytes.count, !isClosed {
            do throws(StoreError) {
                let count = try transport.write(bytes, from: sent)
                sent += count
                if count == 0 { try wait(until: deadline, forWriting: true) }
            } catch {
                guard error.code == .disconnected else { throw error }
                isClosed = true
            }
        }
    }

    /// Sends a request, and returns what comes until its reply: the events before it, and the reply at the end.
    ///
    /// Without a reply the server has ended the connection. Throws `.timedOut`, or that the reply has another's id.
    package func exchange(
        _ operation: StoreOperation, _ transaction: TransactionID = .none, payload: [UInt8],
        until deadline: Deadline = .after(.seconds(5))
    ) throws -> [Packet] {
        lastRequest &+= 1
        let request = try Packet(
            operation, requestID: lastRequest, transaction: transaction, payload: payload)
        try send(request.bytes, until: deadline)
        var packets: [Packet] = []
        while let packet = try receive(until: deadline) {
            packets.append(packet)
            guard packet.operation == .watchEvent else {
                guard packet.requestID == lastRequest else {
                    throw DaemonFailure("the reply to \(lastRequest) is for \(packet.requestID)")
                }
                break
            }
        }
        return packets
    }

    /// The next packet; nil when the server has ended the connection.
    package func receive(until deadline: Deadline) throws -> Packet? {
        while true {
            if let packet = try parser.next() { return packet }
            if isClosed { return nil }
            try fill(until: deadline)
        }
    }

    /// Reads what there is, or blocks until there is something.
    private func fill(until deadline: Deadline) throws(StoreError) {
        do throws(StoreError) {
            if let count = try transport.read(into: &buffer) {
                isClosed = count == 0
                parser.append(buffer[..<count])
            } else {
                try wait(until: deadline, forWriting: false)
            }
        } catch {
            guard error.code == .disconnected else { throw error }
            isClosed = true
        }
    }

    private func wait(until deadline: Deadline, forWriting: Bool) throws(StoreError) {
        guard !deadline.hasPassed else {
            throw StoreError(.timedOut, "the server did not answer in time")
        }
        try transport.wait(
            forWriting: forWriting, until: min(deadline, .after(.milliseconds(100))))
        if !serverRuns() { isClosed = true }
    }
}
