import Synchronization
package import XenCore
package import XenSystem

/// A byte stream over a connected socket.
package final class SocketTransport: ByteTransport {
    private let descriptor: OwnedDescriptor
    private let wakeup: Wakeup
    private let name: String
    /// For how many milliseconds a receive blocks; 0 as long as none does.
    private let receiveTimeout = Atomic(0)

    /// Takes ownership of a socket. `name` is for error messages.
    package init(_ descriptor: consuming OwnedDescriptor, name: String) throws(StoreError) {
        do { wakeup = try Wakeup() } catch {
            throw StoreError(.unavailable, "no descriptor left to wake a thread with: \(error)")
        }
        self.descriptor = descriptor
        self.name = name
    }

    package var payloadByteCountLimit: Int { Packet.payloadByteCountLimit }
    package var isKernelDevice: Bool { false }

    package func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        do { return try descriptor.receiveAvailable(into: &buffer) } catch { throw lost(error) }
    }

    package func read(
        into buffer: inout [UInt8], until deadline: Deadline
    ) throws(StoreError) -> Int? {
        // Rounded down to a power of two, so that it is seldom set. The last bit of the time is polled.
        let milliseconds = Int(deadline.remainingMilliseconds) - 1
        guard milliseconds > 0 else {
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
        do { return try descriptor.sendAvailable(bytes, from: offset) ?? 0 } catch {
            throw lost(error)
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
        descriptor.shutDown()
        wakeup.signal()
    }

    private func lost(_ failure: SystemFailure) -> StoreError {
        StoreError(.disconnected, "the connection to \(name) failed: \(failure)")
    }
}
