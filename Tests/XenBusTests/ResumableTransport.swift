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
        let watches = state.withLock { $0.watches }
        for payload in watches {
            let packet = try Packet(.watch, requestID: .max, payload: payload)
            _ = try next.write(packet.bytes, from: 0)
        }
        let old = state.withLock { state in
            let old = state.inner
            state.past.append(old)
            state.inner = next
            state.isSuspending = false
            state.unansweredCount = watches.count
            return old
        }
        old.wake()
    }

    func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int {
        // The client's packets are small: each is written whole, alone or after others.
        var parser = PacketParser()
        parser.append(bytes[offset...])
        let inner = state.withLock { state -> (any ByteTransport)? in
            guard !state.isSuspending else { return nil }
            while let packet = try? parser.next() {
                state.unansweredCount += 1
                if packet.operation == .watch { state.watches.append(packet.payload) }
                if packet.operation == .unwatch { state.watches.removeAll { $0 == packet.payload } }
            }
            return state.inner
        }
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
    var answersWrites: Bool { inner.answersWrites }
    func wake() { inner.wake() }
    func close() { inner.close() }
}
