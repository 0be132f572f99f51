import DeviceStage
import Synchronization
import XenCore
import XenStoreWire

/// A connection that outlives its server, as Linux's xenbus device does when its domain is restored: from then on it
/// leads to another server, on which the watches are set again.
///
/// The extra replies have an id that no request has; the client drops them.
final class ResumableTransport: ByteTransport {
    private struct State {
        var inner: any ByteTransport
        /// Kept open: nothing tells a guest that it is saved.
        var past: [any ByteTransport] = []
        var watches: [[UInt8]] = []
        var isSuspending = false
        var unansweredCount = 0
        var replies = PacketParser()
        /// Where it goes on, just before the next request for a node's value that finds all others answered.
        var ambush: (next: any ByteTransport, node: [UInt8])?
    }

    private let state: Mutex<State>

    init(_ inner: any ByteTransport) { state = Mutex(State(inner: inner)) }

    private var inner: any ByteTransport { state.withLock { $0.inner } }

    /// Goes on with another server, once every request has its reply: so does Linux before it suspends.
    func resume(onto next: any ByteTransport) async throws {
        state.withLock { $0.isSuspending = true }
        try await eventually("every request to be answered") {
            state.withLock { $0.unansweredCount } == 0
        }
        let old = try state.withLock { state in
            state.isSuspending = false
            return try Self.leave(&state, for: next)
        }
        old.wake()
    }

    /// Goes on with another server just before the next look at a node, when every request has its reply.
    func resume(onto next: any ByteTransport, beforeReading node: StorePath) {
        state.withLock { $0.ambush = (next, node.bytes + [0]) }
    }

    /// Whether `resume(onto:beforeReading:)` is still to come.
    var isLyingInWait: Bool { state.withLock { $0.ambush != nil } }

    private static func leave(
        _ state: inout State, for next: any ByteTransport
    ) throws(StoreError) -> any ByteTransport {
        for payload in state.watches {
            let packet = try Packet(.watch, requestID: .max, payload: payload)
            _ = try next.write(packet.bytes, from: 0)
        }
        let old = state.inner
        state.past.append(old)
        state.inner = next
        state.unansweredCount = state.watches.count
        return old
    }

    /// - Returns: whom to wake if the connection leads elsewhere now.
    private static func springAmbush(
        _ state: inout State, at packet: Packet
    ) throws(StoreError) -> (any ByteTransport)? {
        guard let (next, node) = state.ambush, state.unansweredCount == 0,
            packet.operation == .read, packet.payload == node
        else { return nil }
        state.ambush = nil
        return try leave(&state, for: next)
    }

    func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int {
        // The client's packets are small: each is written whole, alone or after others.
        var parser = PacketParser()
        parser.append(bytes[offset...])
        var left: (any ByteTransport)?
        let inner = try state.withLock { state throws(StoreError) -> (any ByteTransport)? in
            guard !state.isSuspending else { return nil }
            while let packet = try? parser.next() {
                left = try Self.springAmbush(&state, at: packet) ?? left
                state.unansweredCount += 1
                if packet.operation == .watch { state.watches.append(packet.payload) }
                if packet.operation == .unwatch { state.watches.removeAll { $0 == packet.payload } }
            }
            return state.inner
        }
        defer { left?.wake() }
        return try inner?.write(bytes, from: offset) ?? 0
    }

    func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        guard let count = try inner.read(into: &buffer) else { return nil }
        let bytes = buffer[..<count]
        state.withLock { state in
            state.replies.append(bytes)
            while let packet = try? state.replies.next() {
                if packet.operation != .watchEvent { state.unansweredCount -= 1 }
            }
        }
        return count
    }

    func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError) {
        try inner.wait(forWriting: forWriting, until: deadline)
    }

    var payloadByteCountLimit: Int { inner.payloadByteCountLimit }
    var isKernelDevice: Bool { inner.isKernelDevice }
    func wake() { inner.wake() }
    func close() { inner.close() }
}
