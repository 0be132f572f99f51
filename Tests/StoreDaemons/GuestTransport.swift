import Synchronization
package import XenCore
import XenRing
package import XenStoreWire
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A guest's way to a daemon: a raw ring page with its event channel, here a file and a datagram socket.
///
/// One thread at a time writes, and one reads, as with every transport.
package final class GuestTransport: ByteTransport {
    package let domain: DomainID
    private let page: PageMapping
    private let ring: Mutex<ByteRingEnd>
    private let events: EventSocket
    private let store: String
    private let wakeup: Wakeup
    private let isClosed = Atomic(false)

    init(_ domain: DomainID, in folder: String) throws {
        self.domain = domain
        store = "\(folder)/store.event"
        events = try EventSocket(at: "\(folder)/dom\(domain.rawValue).event")
        page = try PageMapping(file: "\(folder)/dom\(domain.rawValue).page")
        wakeup = try Wakeup()
        ring = Mutex(.xenstoreClient(page.memory))
    }

    package var payloadByteCountLimit: Int { Packet.payloadByteCountLimit }

    package var isKernelDevice: Bool { false }

    /// The page's bytes, for tests that write what no client would.
    package var memory: SharedMemory { page.memory }

    package func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        guard !isClosed.load(ordering: .relaxed) else { return 0 }
        let limit = buffer.count
        let (bytes, notification) = try access { ring in
            var bytes: [UInt8] = []
            let transfer = try ring.reader.read(appendingTo: &bytes, upTo: limit)
            return (bytes, transfer.notification)
        }
        if notification == .required { try notify() }
        guard !bytes.isEmpty else { return nil }
        buffer.replaceSubrange(..<bytes.count, with: bytes)
        return bytes.count
    }

    package func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int {
        let rest = Array(bytes[offset...])
        let transfer = try access { ring in try ring.writer.write(rest.span) }
        if transfer.notification == .required { try notify() }
        return transfer.byteCount
    }

    package func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError) {
        do {
            let ready = try waitUntilReadable(
                events.rawDescriptor, or: wakeup.descriptor, until: deadline)
            if ready.first { events.drain() }
            if ready.second, !isClosed.load(ordering: .relaxed) { wakeup.reset() }
        } catch { throw lost("\(error)") }
    }

    package func wake() { wakeup.signal() }

    package func close() {
        isClosed.store(true, ordering: .relaxed)
        wakeup.signal()
    }

    /// Tells the daemon that something has changed in the page.
    package func notify() throws(StoreError) {
        let port = 16 + UInt32(domain.rawValue)
        do { try events.send(port: port, to: store) } catch { throw lost("\(error)") }
    }

    private func access<Result>(
        _ body: (inout sending ByteRingEnd) throws -> sending Result
    ) throws(StoreError) -> Result {
        do { return try ring.withLock(body) } catch { throw lost("\(error)") }
    }

    private func lost(_ why: String) -> StoreError {
        StoreError(.disconnected, "the ring of \(domain) failed: \(why)")
    }
}

/// A file of one page, new and empty, mapped for as long as this value lives.
private final class PageMapping: Sendable {
    let memory: SharedMemory

    init(file: String) throws(SystemFailure) {
        let descriptor = try OwnedDescriptor(opening: file, flags: O_RDWR | O_CREAT | O_TRUNC)
        guard ftruncate(descriptor.rawValue, 4096) == 0 else {
            throw SystemFailure("ftruncate(\(file))")
        }
        let address = unsafe mmap(
            nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.rawValue, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw SystemFailure("mmap(\(file))")
        }
        // Safe: mapped above, one page, and unmapped only when this value goes.
        memory = unsafe SharedMemory(base: address, byteCount: 4096)
    }

    // Safe: the mapping of `init`, which nobody else unmaps.
    deinit { _ = unsafe munmap(memory.baseAddress, 4096) }
}
