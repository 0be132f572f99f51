import Synchronization
public import XenCore
import XenEvtchn
import XenRing
public import XenStoreWire

/// The bytes of one connection over a store page: two rings of 1024 bytes, and an event channel.
///
/// Made by `RingConnector`. Reading and writing never block. Throws `.disconnected` once the server has marked the
/// page with an error, the ring is being reset, or the event channel is gone, and `.protocolViolation` for an index that
/// cannot be. Source: docs/misc/xenstore-ring.txt.
public final class RingTransport: ByteTransport {
    private let line: StoreLine
    private let writer: Mutex<ByteRing.Writer>
    private let reader: Mutex<ByteRing.Reader>
    private let isClosed = Atomic(false)

    /// What the server offered when the connection began.
    public let features: ServerFeatures

    init(_ line: StoreLine) {
        self.line = line
        features = line.page.features
        writer = Mutex(ByteRing.Writer(.xenstore(.request, in: line.page.memory)))
        reader = Mutex(ByteRing.Reader(.xenstore(.response, in: line.page.memory)))
    }

    public var payloadByteCountLimit: Int { Packet.payloadByteCountLimit }
    public var isKernelDevice: Bool { false }

    public func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        try checkServed()
        let limit = buffer.count
        let (bytes, result) = reader.withLock {
            reader -> ([UInt8], Result<ByteRing.Transfer, RingError>) in
            var bytes: [UInt8] = []
            do throws(RingError) {
                let transfer = try reader.read(appendingTo: &bytes, upTo: limit)
                return (bytes, .success(transfer))
            } catch { return (bytes, .failure(error)) }
        }
        let count = try settle(result)
        guard count > 0 else { return nil }
        buffer.replaceSubrange(..<count, with: bytes)
        return count
    }

    public func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int {
        try checkServed()
        let result = writer.withLock { writer -> Result<ByteRing.Transfer, RingError> in
            do throws(RingError) {
                return .success(
                    try writer.write(bytes.span.extracting(droppingFirst: offset)))
            } catch { return .failure(error) }
        }
        return try settle(result)
    }

    /// Tells the server what it has to be told of. Returns how many bytes moved.
    private func settle(_ result: Result<ByteRing.Transfer, RingError>) throws(StoreError) -> Int {
        let transfer = try valid(result)
        if transfer.notification == .required { try line.notify() }
        return transfer.byteCount
    }

    public func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError) {
        guard !isClosed.load(ordering: .acquiring), try !isReady(forWriting) else { return }
        try line.wait(until: deadline)
    }

    /// The last look before a sleep. When it finds nothing, the server will ring.
    private func isReady(_ forWriting: Bool) throws(StoreError) -> Bool {
        let result = reader.withLock { reader -> Result<Bool, RingError> in
            do throws(RingError) { return .success(try reader.available() > 0) } catch {
                return .failure(error)
            }
        }
        if try valid(result) { return true }
        guard forWriting else { return false }
        return try valid(
            writer.withLock { writer -> Result<Bool, RingError> in
                do throws(RingError) { return .success(try writer.room() > 0) } catch {
                    return .failure(error)
                }
            })
    }

    private func valid<Value>(_ result: Result<Value, RingError>) throws(StoreError) -> Value {
        switch result {
        case .success(let value): return value
        case .failure(let error):
            throw StoreError(.protocolViolation, "the store's ring is corrupt: \(error)")
        }
    }

    public func wake() { line.events.interrupt() }

    public func close() {
        isClosed.store(true, ordering: .releasing)
        wake()
    }

    /// Throws when the server no longer serves this connection.
    private func checkServed() throws(StoreError) {
        guard !isClosed.load(ordering: .acquiring) else {
            throw StoreError(.disconnected, "the ring's connection was closed by this program")
        }
        if features.contains(.error), line.page.fault != .none {
            throw StoreError(
                .disconnected, "the server no longer serves the ring: \(line.page.fault)")
        }
        if features.contains(.reconnection), line.page.connection != .connected {
            throw StoreError(.disconnected, "the store's ring is being reset")
        }
    }
}
