import StoreDaemons
import XenCore
import XenMock
import XenStoreServer
import XenStoreWire

/// Our server on a socket, with guests on rings that a hypervisor in this process has.
final class RingedServer: StoreHost {
    let server = ServerName.ours
    private let stage: RingStage
    private let socket: TemporarySocket
    private var guests: [DomainID: RingGuest] = [:]

    init() throws {
        stage = try RingStage()
        socket = try TemporarySocket()
        try stage.server.listen(path: socket.path)
    }

    deinit { stage.server.stop() }

    var ending: String? { nil }

    func connect() throws -> PacketConnection { try PacketConnection(to: socket.path) }

    func makeGuest(_ domain: DomainID) throws -> EventPort? {
        let guest = try stage.guest(domain.rawValue)
        guests[domain] = guest
        return guest.port
    }

    func introduce(_ domain: DomainID) throws {
        guard let port = guests[domain]?.port else { throw DaemonFailure("no page of \(domain)") }
        try stage.server.introduce(domain, port: port)
    }

    func connect(as domain: DomainID) throws -> any ByteTransport {
        guard let guest = guests[domain] else { throw DaemonFailure("no page of \(domain)") }
        return RingGuestTransport(guest)
    }

    func removeGuest(_ domain: DomainID) throws {
        guard let guest = guests.removeValue(forKey: domain) else { return }
        stage.hypervisor.destroy(guest.mock)
        try stage.server.release(domain)
    }
}

/// The test's own client of a ring, as a transport.
private final class RingGuestTransport: ByteTransport, @unchecked Sendable {
    // Invariant: the tables use a guest from one thread.
    private let guest: RingGuest

    init(_ guest: RingGuest) { self.guest = guest }

    var payloadByteCountLimit: Int { Packet.payloadByteCountLimit }
    var isKernelDevice: Bool { false }

    func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        do {
            let bytes = try guest.take(upTo: buffer.count)
            guard !bytes.isEmpty else { return nil }
            buffer.replaceSubrange(..<bytes.count, with: bytes)
            return bytes.count
        } catch { throw StoreError(.disconnected, "\(error)") }
    }

    func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int {
        do { return try guest.write(Array(bytes[offset...])) } catch {
            throw StoreError(.disconnected, "\(error)")
        }
    }

    func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError) {
        do { try guest.waitForEvent(until: deadline) } catch {
            throw StoreError(.timedOut, "\(error)")
        }
    }

    func wake() {}

    func close() {}
}
