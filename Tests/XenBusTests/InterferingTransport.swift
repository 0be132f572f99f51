import Synchronization
import XenCore
import XenStoreWire

/// A connection on which a node is written just before each of the next commits, as by a peer that writes without
/// pause: so those transactions conflict.
///
/// The extra replies have an id that no request has; the client drops them.
final class InterferingTransport: ByteTransport {
    private let inner: any ByteTransport
    private let node: [UInt8]
    private let commitsLeft: Mutex<Int>
    private let commits = Mutex(0)

    init(_ inner: any ByteTransport, writing node: StorePath, beforeCommits count: Int) {
        self.inner = inner
        self.node = node.bytes
        commitsLeft = Mutex(count)
    }

    /// How many transactions were ended.
    var commitCount: Int { commits.withLock { $0 } }

    /// How many more commits will be disturbed.
    var disturbancesLeft: Int { commitsLeft.withLock { $0 } }

    var payloadByteCountLimit: Int { inner.payloadByteCountLimit }
    var answersWrites: Bool { inner.answersWrites }

    func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        try inner.read(into: &buffer)
    }

    func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int {
        // The client's packets are small: each is written whole, alone or after others.
        if isTransactionEnd(bytes[offset...]) {
            commits.withLock { $0 += 1 }
            let isDisturbed = commitsLeft.withLock { left in
                defer { left = max(0, left - 1) }
                return left > 0
            }
            if isDisturbed {
                let noise = try Packet(
                    .write, requestID: .max, payload: node + [0, UInt8(ascii: "1")])
                _ = try inner.write(noise.bytes, from: 0)
            }
        }
        return try inner.write(bytes, from: offset)
    }

    private func isTransactionEnd(_ bytes: ArraySlice<UInt8>) -> Bool {
        var parser = PacketParser()
        parser.append(bytes)
        while let packet = try? parser.next() {
            if packet.operation == .transactionEnd { return true }
        }
        return false
    }

    func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError) {
        try inner.wait(forWriting: forWriting, until: deadline)
    }

    func wake() { inner.wake() }
    func close() { inner.close() }
}
