import XenCore
import XenStoreWire

@testable import XenStoreServer

/// The server's core behind one link at a time. It counts what it carries out.
struct SimulatedServer {
    var now = Deadline(sinceEpoch: .zero)
    private var core = StoreCore()
    private var connection: ConnectionID?
    private var parser = PacketParser()
    /// How often each WRITE's payload was carried out.
    private(set) var executions: [[UInt8]: Int] = [:]
    /// What was carried out more than once.
    private(set) var repeated: [UInt8]?

    /// A new connection, whose epoch is told in a node.
    mutating func connect(tag: Epoch) {
        disconnect()
        parser = PacketParser()
        let id = core.connect(as: .dom0)
        connection = id
        _ = outputs(of: Packet(write: Self.tagPath, "\(tag.rawValue)"), from: id)
    }

    mutating func disconnect() {
        if let connection { core.disconnect(connection) }
        connection = nil
    }

    /// The program ends, and its tree with it.
    mutating func restart() {
        core = StoreCore()
        connection = nil
    }

    /// Takes bytes of the client's. Returns the packets for it.
    mutating func receive(_ bytes: ArraySlice<UInt8>) throws -> [Packet] {
        parser.append(bytes)
        var answers: [Packet] = []
        while let packet = try parser.next() { answers += serve(packet) }
        return answers
    }

    /// Somebody else writes.
    mutating func write(_ path: StorePath, _ text: String) -> [Packet] {
        let other = core.connect(as: .dom0)
        defer { core.disconnect(other) }
        return packets(outputs(of: Packet(write: path, text), from: other))
    }

    static let tagPath: StorePath = "/tag"

    private mutating func serve(_ packet: Packet) -> [Packet] {
        guard let connection else { return [] }
        let outputs = outputs(of: packet, from: connection)
        if packet.operation == .write, !outputs.contains(where: Self.isError) {
            executions[packet.payload, default: 0] += 1
            if executions[packet.payload] != 1 { repeated = packet.payload }
        }
        return packets(outputs)
    }

    private mutating func outputs(of packet: Packet, from id: ConnectionID) -> [StoreOutput] {
        var outputs: [StoreOutput] = []
        core.handle(packet, from: id, now: now, &outputs)
        return outputs
    }

    private func packets(_ outputs: [StoreOutput]) -> [Packet] {
        outputs.compactMap { output in
            if case .send(connection, let packet) = output { packet } else { nil }
        }
    }

    private static func isError(_ output: StoreOutput) -> Bool {
        if case .send(_, let packet) = output { packet.operation == .error } else { false }
    }
}

extension Packet {
    fileprivate init(write path: StorePath, _ text: String) {
        guard
            let packet = try? Packet(
                .write, requestID: 1, payload: Request.write(path, Array(text.utf8)).payload)
        else { preconditionFailure("a short value fits a packet") }
        self = packet
    }
}
