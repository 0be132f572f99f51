import XenCore
import XenStoreWire

/// One connection's bytes, on their way in and out, whatever carries them.
final class ServerSession {
    let id: ConnectionID
    let domain: DomainID
    let link: any SessionLink
    // Safe: whoever comes here holds the loop's lock, and a link never calls back to its session. To check each use
    // costs a tenth of a request.
    @exclusivity(unchecked) private var parser = PacketParser()
    @exclusivity(unchecked) private var output = OutgoingBytes()
    /// The most bytes that may wait for the reader.
    private let outputLimit: Int
    /// The most replies that may wait for it; nil without bound.
    private let replyLimit: Int?
    /// Replies that wait at most: those of which not every byte is known to be taken.
    private(set) var outstandingCount = 0
    /// Events that wait as a whole, since the reader last took something.
    ///
    /// Safe: as above.
    @exclusivity(unchecked) private var waitingEvents: Set<[UInt8]> = []
    /// Whether the reader did not take all that it was offered last.
    private(set) var isBlocked = false
    /// Counts the times that the reader took something.
    private(set) var progress: UInt64 = 0
    /// What the loop waits for on its socket at the moment.
    var waitsToRead = true
    var waitsToWrite = false
    /// In the list of those with something to write.
    var isDirty = false
    /// In the list of those that are served in the next turn without having been heard of.
    var isOwed = false
    /// Waits until the core serves its domain again.
    var isHeldByCore = false
    /// Has an entry in the queue of those whose reader may have stalled.
    var isTimed = false

    init(
        _ id: ConnectionID, _ domain: DomainID, over link: any SessionLink, outputLimit: Int,
        replyLimit: Int?
    ) {
        self.id = id
        self.domain = domain
        self.link = link
        self.outputLimit = outputLimit
        self.replyLimit = replyLimit
    }

    var queuedByteCount: Int { unsafe output.count }

    /// The memory that the session has, in bytes.
    var byteCapacity: Int {
        unsafe parser.byteCapacity + output.byteCapacity + waitingEvents.count * 64
    }

    /// Whether so much waits that the client must take replies before its next requests are looked at.
    var isFull: Bool {
        unsafe output.count > outputLimit / 4 || replyLimit.map { outstandingCount >= $0 } ?? false
    }

    /// Reads what there is, a bufferful at most. Returns how many bytes.
    func fill(_ buffer: inout [UInt8]) throws(LinkFailure) -> Int {
        unsafe try link.receive(&parser, &buffer)
    }

    /// The next whole request.
    func nextRequest() throws(LinkFailure) -> Packet? {
        do { return unsafe try parser.next() } catch {
            throw .broken(.protocolViolation, error.message)
        }
    }

    /// Queues a packet. False when its reader is so slow that the connection must end.
    ///
    /// An event that waits already is not queued again, as in the C daemon: whoever reads it looks at what is there by
    /// then. Special events each count.
    func queue(_ packet: Packet) -> Bool {
        if packet.operation != .watchEvent {
            outstandingCount += 1
        } else if isBlocked, packet.payload.first != UInt8(ascii: "@") {
            guard unsafe waitingEvents.insert(packet.payload).inserted else { return true }
        }
        unsafe output.append(packet)
        return unsafe output.count <= outputLimit
    }

    /// Writes what fits now.
    func flush() throws(LinkFailure) {
        let before = unsafe output.count
        guard before > 0 else { return }
        unsafe try output.drain { bytes, offset throws(LinkFailure) in
            try link.send(bytes, from: offset)
        }
        if unsafe output.count < before {
            progress += 1
            if unsafe !waitingEvents.isEmpty { unsafe waitingEvents = [] }
        }
        isBlocked = unsafe !output.isEmpty
        if !isBlocked { outstandingCount = 0 }
    }
}
