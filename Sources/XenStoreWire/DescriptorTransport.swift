import Synchronization
package import XenCore
package import XenSystem

/// A byte stream over a non-blocking descriptor.
package final class DescriptorTransport: ByteTransport {
    /// How the descriptor takes bytes.
    package enum Kind: Sendable {
        /// A connected socket.
        case socket
        /// The kernel's xenbus device: one packet a write, the header counted into its buffer of 4096 bytes
        /// (Linux, drivers/xen/xenbus/xenbus_dev_frontend.c).
        case device
    }

    private let descriptor: OwnedDescriptor
    private let wakeup: Wakeup
    private let kind: Kind
    private let name: String
    /// For how many milliseconds a receive blocks; 0 as long as none does.
    private let receiveTimeout = Atomic(0)

    /// Takes ownership of a descriptor. `name` is for error messages.
    package init(
        _ descriptor: consuming OwnedDescriptor, _ kind: Kind, name: String
    ) throws(StoreError) {
        do { wakeup = try Wakeup() } catch {
            throw StoreError(.unavailable, "no descriptor left to wake a thread with: \(error)")
        }
        self.descriptor = descriptor
        self.kind = kind
        self.name = name
    }

    package var payloadByteCountLimit: Int {
        switch kind {
        case .socket: Packet.payloadByteCountLimit
        case .device: Packet.payloadByteCountLimit - PacketHeader.byteCount
        }
    }

    package var answersWrites: Bool { kind == .device }

    package func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        do {
            switch kind {
            case .socket: return try descriptor.receiveAvailable(into: &buffer)
            case .device: return try descriptor.readAvailable(into: &buffer)
            }
        } catch { throw lost(error) }
    }

    package func read(
        into buffer: inout [UInt8], until deadline: Deadline
    ) throws(StoreError) -> Int? {
        // Rounded down to a power of two, so that it is seldom set. The last bit of the time is polled.
        let milliseconds = Int(deadline.remainingMilliseconds) - 1
        guard kind == .socket, milliseconds > 0 else {
            do { try waitUntilReadable(descriptor.rawValue, until: deadline) } catch {
                throw lost(error)
            }
            return try read(into: &buffer)
        }
        let timeout = 1 << (Int.bitWidth - 1 - milliseconds.leadingZeroBitCount)
        do {
            if receiveTimeout.load(ordering: .relaxed) != timeout {
                try descriptor.setReceiveTimeout(milliseconds: timeout)
                receiveTimeout.store(timeout, ordering: .relaxed)
            }
            return try descriptor.receive(into: &buffer)
        } catch { throw lost(error) }
    }

    package func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int {
        do {
            switch kind {
            case .socket: return try descriptor.sendAvailable(bytes, from: offset) ?? 0
            case .device: return try descriptor.writeMessage(bytes) ?? 0
            }
        } catch {
            guard kind == .device, error.errorNumber != .badDescriptor else { throw lost(error) }
            throw StoreError(.refused, name: StoreErrorName(error.errorNumber), "\(name) refused")
        }
    }

    package func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError) {
        let interest: PollInterest = forWriting ? [.readable, .writable] : .readable
        do {
            let ready = try poll(
                [(descriptor.rawValue, interest), (wakeup.descriptor, .readable)], until: deadline)
            if ready.isReadable(1) { wakeup.reset() }
        } catch { throw lost(error) }
    }

    package func wake() { wakeup.signal() }

    /// The descriptor itself is closed with its owner, so that no thread can be left with a number that is another's.
    package func close() {
        if kind == .socket { descriptor.shutDown() }
        wakeup.signal()
    }

    private func lost(_ failure: SystemFailure) -> StoreError {
        StoreError(.disconnected, "the connection to \(name) failed: \(failure)")
    }
}
