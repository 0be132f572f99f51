import XenCore
import XenEvtchn
import XenGrant
import XenRing

/// One end of a link: two byte rings in shared pages, and the port that says that there is something to look at.
struct LinkEnd: ~Copyable {
    /// A page with the indices and one with references make the rings of a FLEX interface: 16 KiB each way.
    static let dataPageCount = 8
    /// The most bytes of one message.
    static let messageLimit = 1 << 20
    /// Where in the interface page each end says that it lives. The kernel clears the byte when its process dies.
    static let frontLife = Page.byteCount - 1
    static let backLife = Page.byteCount - 2

    /// What the back has to know, or knew.
    let offer: LinkOffer
    private var ring: ByteRingEnd
    private let channel: EventChannel
    /// The interface page, of which the ring is a view as well. There until this end goes, since `pages` is.
    private let page: SharedMemory
    private let peerLife: Int
    /// Held for the sake of the ring's memory.
    private let pages: LinkPages
    private var outgoing: [UInt8] = []
    private var incoming: [UInt8] = []

    init(
        _ offer: LinkOffer, _ ring: consuming ByteRingEnd, _ channel: consuming EventChannel,
        _ pages: consuming LinkPages, isFront: Bool
    ) {
        self.offer = offer
        self.ring = ring
        self.channel = channel
        // Safe: `pages` lives as long as this.
        page = unsafe pages.interfaceMemory
        self.pages = pages
        peerLife = isFront ? Self.backLife : Self.frontLife
    }

    /// Whether the peer says that it lives: it has come, and not gone.
    var peerLives: Bool { page.bytes(at: peerLife, count: 1) != [0] }

    /// Rings the peer, for one that may sleep.
    func notify() throws { try channel.notify() }

    /// Appends a message, and writes as much as there is room for. What is left goes with the next `exchange`.
    mutating func send(_ message: [UInt8]) throws {
        UInt32(message.count).write(to: &outgoing)
        outgoing += message
        if try flush() == .required { try channel.notify() }
    }

    /// Takes what has come and writes what there is room for. Afterwards the peer will ring for whatever comes next.
    ///
    /// - Returns: whole messages.
    mutating func exchange() throws -> [[UInt8]] {
        while try ring.reader.available() > 0 { try ring.reader.take(appendingTo: &incoming) }
        let ofRoom = try ring.reader.commit()
        let ofBytes = try flush()
        if ofRoom == .required || ofBytes == .required { try channel.notify() }
        return try messages()
    }

    private mutating func flush() throws -> PeerNotification {
        let bytes = outgoing
        outgoing = []
        let count = try ring.writer.stage(bytes.span)
        if count < bytes.count { outgoing = Array(bytes[count...]) }
        return try ring.writer.publish()
    }

    private mutating func messages() throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        var start = 0
        while incoming.count - start >= 4 {
            var header = WireReader(incoming[start..<start + 4])
            let count = Int(try header.next(UInt32.self))
            guard count <= Self.messageLimit else {
                throw WireError("a message claims to have \(count) bytes")
            }
            guard incoming.count - start - 4 >= count else { break }
            found.append(Array(incoming[start + 4..<start + 4 + count]))
            start += 4 + count
        }
        incoming.removeFirst(start)
        return found
    }

    /// Lets go of the pages and the port. The peer is told, by its byte in the page.
    consuming func close() throws {
        try pages.close()
        try channel.close()
    }
}
