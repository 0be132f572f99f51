import Synchronization
import XenCore
import XenStoreWire

/// A connection on which others act just before what its client does: a node is written before each of the next
/// commits, as by a peer that writes without pause, so that those transactions conflict; or nodes are removed before
/// a look at one.
///
/// The extra replies have an id that no request has; the client drops them.
final class InterferingTransport: ByteTransport {
    private let inner: any ByteTransport
    private let node: [UInt8]
    private let commitsLeft: Mutex<Int>
    private let commits = Mutex(0)
    private let removal = Mutex<(nodes: [StorePath], read: [UInt8])?>(nil)

    init(_ inner: any ByteTransport, writing node: StorePath, beforeCommits count: Int) {
        self.inner = inner
        self.node = node.bytes
        commitsLeft = Mutex(count)
    }

    /// Removes nodes, in this order, just before the next look at one.
    func remove(_ nodes: [StorePath], beforeReading node: StorePath) {
        removal.withLock { $0 = (nodes, node.bytes + [0]) }
    }

    /// How many transactions were ended.
    var commitCount: Int { commits.withLock { $0 } }

    /// How many more commits will be disturbed.
    var disturbancesLeft: Int { commitsLeft.withLock { $0 } }

    var payloadByteCountLimit: Int { inner.payloadByteCountLimit }
    var isKernelDevice: Bool { inner.isKernelDevice }

    func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        try inner.read(into: &buffer)
    }

    func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int {
        // The client's packets are small: each is written whole, alone or after others.
        var parser = PacketParser()
        parser.append(bytes[offset...])
        while let packet = try parser.next() {
            for other in try interference(before: packet) {
                _ = try inner.write(other.bytes, from: 0)
            }
        }
        return try inner.write(bytes, from: offset)
    }

    private func interference(before packet: Packet) throws(StoreError) -> [Packet] {
        switch packet.operation {
        case .transactionEnd:
            commits.withLock { $0 += 1 }
            let isDisturbed = commitsLeft.withLock { left in
                defer { left = max(0, left - 1) }
                return left > 0
            }
            guard isDisturbed else { return [] }
            return [try Packet(.write, requestID: .max, payload: node + [0, UInt8(ascii: "1")])]
        case .read:
            let nodes = removal.withLock { removal -> [StorePath] in
                guard removal?.read == packet.payload else { return [] }
                return removal.take()?.nodes ?? []
            }
            var removals: [Packet] = []
            for node in nodes {
                removals.append(try Packet(.remove, requestID: .max, payload: node.bytes + [0]))
            }
            return removals
        default: return []
        }
    }

    func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError) {
        try inner.wait(forWriting: forWriting, until: deadline)
    }

    func wake() { inner.wake() }
    func close() { inner.close() }
}
