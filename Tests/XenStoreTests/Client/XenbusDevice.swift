import Synchronization
import XenCore
import XenStoreWire
import XenSystem

@testable import XenStoreClient

/// Stands in for the kernel behind `/dev/xen/xenbus`: answers requests by packets, later, and a WATCH as it is told to.
final class XenbusDevice: Sendable {
    enum Watching: Sendable {
        /// Refused by an errno.
        case refused(ErrorNumber)
        /// The write does not return before `release()`, as long as the store is dead.
        case blocked
    }

    private let watching: Watching
    private let isSilent: Bool
    private let store: ScriptedServer
    private let near: Mutex<Int32?>
    private let requests = Mutex((unansweredCount: 0, overlapCount: 0))
    private let held = ThreadSignal()
    private let gate = ThreadSignal()

    /// - Parameter isSilent: whether every reply is lost.
    init(watching: Watching, isSilent: Bool = false) throws {
        self.watching = watching
        self.isSilent = isSilent
        let ends = try UnixSocket.pair().split()
        near = Mutex(ends.near)
        store = ScriptedServer(
            try SocketTransport(OwnedDescriptor(adopting: ends.far), name: "a device"))
    }

    /// The open device, once.
    func opened() throws(StoreError) -> DeviceTransport {
        guard let descriptor = near.withLock({ $0.take() }) else {
            throw StoreError(.unavailable, "the device is open already")
        }
        return try DeviceTransport(
            OwnedDescriptor(adopting: descriptor), name: "a device"
        ) { _, message throws(SystemFailure) in try self.write(message) }
    }

    /// Sends a packet that nobody asked for.
    func say(_ packet: Packet) throws { try store.send(packet.bytes) }

    /// How many requests came before an earlier one was answered.
    var overlapCount: Int { requests.withLock { $0.overlapCount } }

    /// Blocks until a write is held.
    func waitUntilHeld() { held.wait(until: nil) }

    /// Lets a write that is held return.
    func release() { gate.signal() }

    private func write(_ message: [UInt8]) throws(SystemFailure) -> Int {
        var parser = PacketParser()
        parser.append(message[...])
        guard let packet = try? parser.next() else { throw SystemFailure("write", .invalid) }
        if packet.operation == .watch {
            switch watching {
            case .refused(let number): throw SystemFailure("write", number)
            case .blocked:
                held.signal()
                gate.wait(until: nil)
            }
        }
        guard !isSilent else { return message.count }
        requests.withLock {
            $0.overlapCount += $0.unansweredCount
            $0.unansweredCount += 1
        }
        Task {
            await Task.yield()
            requests.withLock { $0.unansweredCount -= 1 }
            try store.answer(packet, "value")
        }
        return message.count
    }
}
