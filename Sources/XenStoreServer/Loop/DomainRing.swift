import XenCore
import XenEvtchn
import XenRing
import XenStoreWire

/// A domain's page and port, and the ring in it. One ring has many lives: each reconnection begins another session.
///
/// Source: docs/misc/xenstore-ring.txt.
final class DomainRing: SessionLink {
    let domain: DomainID
    /// In the scheduler.
    let ringID: RingID
    let channel: EventChannel
    let page: StorePage
    /// Keeps `page` mapped.
    private let ownedPage: DomainRingPage
    private var end: ByteRingEnd
    /// What is read on its way to the parser.
    private var bytes: [UInt8] = []
    /// The ring's session; nil once the guest has broken the ring, until it reconnects.
    var session: ConnectionID?
    /// Whether the last look found the ring empty, so that the guest notifies us of what comes next.
    private(set) var isEmpty = false

    init(
        _ domain: DomainID, _ ringID: RingID, _ page: consuming DomainRingPage,
        _ channel: consuming EventChannel
    ) {
        self.domain = domain
        self.ringID = ringID
        self.channel = channel
        // Safe: the page and its ring go with this object, which keeps the mapping.
        self.page = StorePage(unsafe page.memory)
        end = .xenstoreServer(self.page.memory)
        ownedPage = page
    }

    func receive(
        _ parser: inout PacketParser, _ buffer: inout [UInt8]
    ) throws(LinkFailure) -> Int {
        bytes.removeAll(keepingCapacity: true)
        let read: ByteRing.Transfer
        do { read = try end.reader.read(appendingTo: &bytes, upTo: Self.byteCount) } catch {
            throw .broken(.index, error.message)
        }
        isEmpty = read.byteCount < Self.byteCount
        if read.notification == .required { try notify() }
        parser.append(bytes[...])
        return read.byteCount
    }

    func send(_ bytes: [UInt8], from offset: Int) throws(LinkFailure) -> Int {
        let written: ByteRing.Transfer
        do { written = try end.writer.write(bytes.span.extracting(offset...)) } catch {
            throw .broken(.index, error.message)
        }
        if written.notification == .required { try notify() }
        return written.byteCount
    }

    /// Whether there is something to do, for a look at a guest that has not notified us.
    ///
    /// - Parameters:
    ///   - isReading: requests are listened to.
    ///   - isWriting: replies wait for room.
    func hasWork(isReading: Bool, isWriting: Bool) -> Bool {
        if wantsReconnection { return true }
        guard session != nil else { return false }
        // A ring that the guest has broken is work, too: a round tells it so.
        guard let waiting = try? end.reader.available() else { return true }
        if isReading, waiting > 0 { return true }
        return isWriting && (try? end.writer.room()) != 0
    }

    /// Whether the guest asks for a new connection.
    var wantsReconnection: Bool { page.connection == .reconnecting }

    /// Empties both rings, and tells the guest that its new connection is there. Nothing of the old one is left.
    func reconnect() throws(LinkFailure) {
        page.emptyRings()
        end = .xenstoreServer(page.memory)
        page.fault = .none
        page.connection = .connected
        try notify()
    }

    /// Tells the guest why its ring is not served any more. It may reconnect.
    func disable(_ fault: RingFault) {
        session = nil
        guard page.features.contains(.error) else { return }
        page.fault = fault
        // If even this fails, the guest finds the word when it looks.
        try? notify()
    }

    func notify() throws(LinkFailure) {
        do { try channel.notify() } catch { throw .broken(.communication, error.message) }
    }

    /// Bytes in each direction.
    private static let byteCount = 1024
}
