import Synchronization
import XenCore
import XenStoreClient
import XenStoreServer
import XenStoreWire

/// Connects to a server by transports that dribble, stall and break, as the seed says.
final class FaultyConnector: StoreConnector {
    private let server: StoreServer
    private let random: Mutex<SplitMix>
    /// Whether faults happen.
    private let isFaulty = Atomic(true)

    init(_ server: StoreServer, seed: UInt64) {
        self.server = server
        random = Mutex(SplitMix(seed: seed))
    }

    func heal() { isFaulty.store(false, ordering: .sequentiallyConsistent) }

    func connect(until deadline: Deadline) throws(StoreError) -> any ByteTransport {
        if happens(0.2) { throw StoreError(.unavailable, "nobody is there") }
        return FaultyTransport(try server.connect(as: .dom0), self)
    }

    func happens(_ probability: Double) -> Bool {
        isFaulty.load(ordering: .sequentiallyConsistent)
            && random.withLock { Double.random(in: 0..<1, using: &$0) } < probability
    }

    /// From 1 to `limit`.
    func number(upTo limit: Int) -> Int {
        random.withLock { Int.random(in: 1...limit, using: &$0) }
    }
}

private final class FaultyTransport: ByteTransport {
    private let inner: any ByteTransport
    private let faults: FaultyConnector

    init(_ inner: some ByteTransport, _ faults: FaultyConnector) {
        self.inner = inner
        self.faults = faults
    }

    var payloadByteCountLimit: Int { inner.payloadByteCountLimit }
    var isKernelDevice: Bool { false }

    func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        try breakSometimes()
        guard faults.happens(0.5) else { return try inner.read(into: &buffer) }
        if faults.happens(0.2) { return nil }
        var few = [UInt8](repeating: 0, count: faults.number(upTo: min(24, buffer.count)))
        guard let count = try inner.read(into: &few) else { return nil }
        buffer.replaceSubrange(..<count, with: few[..<count])
        return count
    }

    func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int {
        try breakSometimes()
        guard faults.happens(0.5) else { return try inner.write(bytes, from: offset) }
        if faults.happens(0.2) { return 0 }
        let end = offset + faults.number(upTo: bytes.count - offset)
        return try inner.write(Array(bytes[offset..<end]), from: 0)
    }

    func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError) {
        try inner.wait(forWriting: forWriting, until: deadline)
    }

    func wake() { inner.wake() }
    func close() { inner.close() }

    private func breakSometimes() throws(StoreError) {
        guard faults.happens(0.01) else { return }
        inner.close()
        throw StoreError(.disconnected, "the link broke")
    }
}
