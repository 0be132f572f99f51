import Foundation
import Synchronization
import Testing
import XenCore
import XenDomain
import XenEvtchn
import XenGrant
import XenMock
import XenRing
import XenStoreClient
import XenStoreServer
import XenStoreWire
import XenSystem

/// A hypervisor, and a store server in its dom0.
final class RingStage {
    let hypervisor: MockHypervisor
    let server: StoreServer
    let notices = NoticeLog()
    /// Which grants stand for the reserved ones, that the mock does not give.
    let reserved: ReservedReferences

    init(
        on hypervisor: MockHypervisor = MockHypervisor(), quota: StoreQuota = StoreQuota(),
        stallTimeout: Duration = .seconds(60), checkPeriod: Duration = .seconds(20),
        domains: (any DomainBackend)? = nil
    ) throws {
        self.hypervisor = hypervisor
        let process = hypervisor.domain(.dom0).startProcess(name: "xenstored")
        reserved = ReservedReferences(process.grants)
        let host = GuestHost(
            grants: GrantTable(reserved), events: EventChannels(process.events),
            domains: domains ?? hypervisor.domains, checkPeriod: checkPeriod)
        let notices = notices
        server = try StoreServer(
            quota: quota, guests: host, stallTimeout: stallTimeout
        ) { notices.append($0) }
    }

    /// A guest with a page and a port, which the server does not know yet.
    func guest(_ id: UInt16 = 3, indicesFrom start: UInt32 = 0) throws -> RingGuest {
        let guest = try RingGuest(hypervisor.domain(DomainID(id)), indicesFrom: start)
        reserved.references.withLock { $0[DomainID(id)] = guest.reference }
        return guest
    }

    /// A guest whose ring is served.
    func attachedGuest(_ id: UInt16 = 3, indicesFrom start: UInt32 = 0) throws -> RingGuest {
        let guest = try guest(id, indicesFrom: start)
        try server.introduce(guest.domain, port: guest.port)
        return guest
    }

    /// Writes 4000 bytes to `/large`, which everybody may read.
    func makeLarge() throws {
        let toolstack = try BlockingStoreClient(over: try server.connect(as: .dom0))
        try toolstack.write("/large", [UInt8](repeating: 7, count: 4000))
        try toolstack.setPermissions("/large", [.init(.read, for: .dom0)])
    }

    /// What the first guest's ring has.
    var ring: StoreServerConnection? { server.connections.first(where: \.isRing) }

    /// Returns once that is as a test wishes.
    func waitForRing(until condition: (StoreServerConnection) -> Bool) {
        let deadline = Deadline.after(.seconds(20))
        while ring.map(condition) != true, !deadline.hasPassed { sched_yield() }
        #expect(ring.map(condition) == true)
    }

    /// Stops the server, and finds nothing left over.
    func end(_ guests: RingGuest...) throws {
        server.stop()
        for guest in guests { try guest.close() }
        try hypervisor.assertCleanedUp()
    }
}

/// What a server had to say.
final class NoticeLog: Sendable {
    private let log = Mutex<[StoreServerNotice]>([])
    private let signal = ThreadSignal()

    func append(_ notice: StoreServerNotice) {
        log.withLock { $0.append(notice) }
        signal.signal()
    }

    /// All that it has said.
    var all: [StoreServerNotice] { log.withLock { $0 } }

    /// Blocks until the server has said something like this. False if it never does.
    func hears(_ condition: (StoreServerNotice) -> Bool) -> Bool {
        let deadline = Deadline.after(.seconds(20))
        while true {
            if log.withLock({ $0 }).contains(where: condition) { return true }
            guard signal.wait(until: deadline) else { return false }
        }
    }
}

/// A way to grants on which each domain's page has the reserved reference.
final class ReservedReferences: GrantBackend {
    let references = Mutex<[DomainID: GrantReference]>([:])
    private let backend: any GrantBackend

    init(_ backend: any GrantBackend) { self.backend = backend }

    func map(
        _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawMapping {
        let references = references.withLock { $0 }
        let real = pages.map { page in
            guard page.reference == StorePage.reference else { return page }
            return GrantedPage(references[page.domain] ?? page.reference, of: page.domain)
        }
        return try backend.map(real, access: access, notification: notification)
    }

    func share(
        pageCount: Int, with domain: DomainID, access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawShare {
        try backend.share(
            pageCount: pageCount, with: domain, access: access, notification: notification)
    }

    func unshare(_ share: RawShare) throws(GrantError) { try backend.unshare(share) }
    func unmap(_ mapping: RawMapping) throws(GrantError) { try backend.unmap(mapping) }
    func copy(_ segments: [GrantCopySegment]) throws(GrantError) -> [GrantCopyStatus] {
        try backend.copy(segments)
    }
}

/// A guest that writes to its ring byte by byte, as a test says.
final class RingGuest {
    let domain: DomainID
    let mock: MockDomain
    let page: StorePage
    let reference: GrantReference?
    private var share: GrantShare?
    private var kernelPage: MappedPage?
    private var channel: EventChannel?
    private let events: EventChannels
    private var end: ByteRingEnd
    private var parser = PacketParser()

    convenience init(_ mock: MockDomain, indicesFrom start: UInt32) throws {
        let process = mock.startProcess(name: "guest")
        let share = try GrantTable(process.grants).share(pageCount: 1, with: .dom0)
        // Safe: the share lives as long as this guest's other parts are used.
        let memory = unsafe share.memory
        for offset in stride(from: 2048, through: 2060, by: 4) {
            memory.store((0..<4).map { UInt8(truncatingIfNeeded: start >> ($0 * 8)) }, at: offset)
        }
        try self.init(process, memory, share.references[0])
        self.share = consume share
    }

    /// The kernel of this domain, whose page is that of a file.
    convenience init(kernelOf mock: MockDomain, page path: String) throws {
        let page = try MappedPage(of: path)
        try self.init(mock.startProcess(name: "kernel"), page.memory, nil)
        kernelPage = page
    }

    private init(
        _ process: MockProcess, _ memory: SharedMemory, _ reference: GrantReference?
    ) throws {
        mock = process.domain
        domain = mock.id
        self.reference = reference
        page = StorePage(memory)
        end = .xenstoreClient(memory)
        events = EventChannels(process.events)
        channel = try events.bindUnbound(for: .dom0)
    }

    var port: EventPort { channel?.port ?? EventPort(0) }

    func notify() throws { try channel?.notify() }

    /// Writes what fits, and says how many bytes. Notifies unless the guest is a lazy one.
    @discardableResult
    func write(_ bytes: [UInt8], isLazy: Bool = false) throws -> Int {
        let transfer = try end.writer.write(bytes.span)
        if !isLazy { try notify() }
        return transfer.byteCount
    }

    func send(_ operation: StoreOperation, _ payload: String, id: UInt32 = 1) throws {
        let bytes = try Packet(operation, requestID: id, payload: Array(payload.utf8)).bytes
        #expect(try write(bytes) == bytes.count)
    }

    /// Blocks until the next packet has come.
    func nextPacket() throws -> Packet {
        let deadline = Deadline.after(.seconds(20))
        while true {
            if let packet = try parser.next() { return packet }
            let bytes = try take(upTo: 4096)
            parser.append(bytes)
            if bytes.isEmpty { try waitForEvent(until: deadline) }
        }
    }

    /// The bytes that have come, if any have.
    func take(upTo limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let read = try end.reader.read(appendingTo: &bytes, upTo: limit)
        if read.notification == .required { try notify() }
        return bytes
    }

    /// Blocks until `condition` holds, looking again after each event.
    func wait(until condition: () -> Bool) throws {
        let deadline = Deadline.after(.seconds(20))
        while !condition() { try waitForEvent(until: deadline) }
    }

    func waitForEvent(until deadline: Deadline) throws {
        guard let event = try events.wait(until: deadline) else {
            throw StoreError(.timedOut, "the server did not notify the guest")
        }
        try event.unmask()
    }

    /// Asks for a new connection, and waits for it.
    func reconnect() throws {
        page.connection = .reconnecting
        try notify()
        try wait { page.connection == .connected }
        end = .xenstoreClient(page.memory)
        parser = PacketParser()
    }

    /// Gives page and channel to a client; nil if it has them already.
    func connector() -> RingConnector? {
        guard let channel = channel.take() else { return nil }
        return RingConnector(page: page.memory, channel: channel, events: events)
    }

    /// Lets go of page and port.
    func close() throws {
        try channel.take()?.close()
        try share.take()?.close()
    }
}
