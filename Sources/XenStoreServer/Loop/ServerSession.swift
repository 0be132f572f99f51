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
    var replyLimit: Int?
    /// Replies that wait at most: those of which not every byte is known to be taken.
    private(set) var outstandingCount = 0
    /// Those replies, and the events that are not to be queued again, in the order in which they wait.
    ///
    /// Safe: as above.
    @exclusivity(unchecked) private var waiting: [Waiting] = []
    private var firstWaiting = 0
    /// Safe: as above.
    @exclusivity(unchecked) private var waitingEvents: Set<[UInt8]> = []
    private var waitingEventByteCount = 0
    /// Bytes that the reader has taken.
    private var takenByteCount = 0
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
        self.outputLimit = outputLimit == 0 ? .max : outputLimit
        self.replyLimit = replyLimit
    }

    var queuedByteCount: Int { unsafe output.count }

    /// The memory that the session has, in bytes.
    var byteCapacity: Int {
        unsafe parser.byteCapacity + output.byteCapacity
            + waiting.capacity * MemoryLayout<Waiting>.stride
            + waitingEvents.count * 64 + waitingEventByteCount
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
        var event: [UInt8]?
        if packet.operation != .watchEvent {
            outstandingCount += 1
        } else if isBlocked, packet.payload.first != UInt8(ascii: "@") {
            guard unsafe waitingEvents.insert(packet.payload).inserted else { return true }
            waitingEventByteCount += packet.payload.count
            event = packet.payload
        }
        unsafe output.append(packet)
        if event != nil || packet.operation != .watchEvent {
            let end = unsafe takenByteCount + output.count
            unsafe waiting.append(Waiting(end: end, event: event))
        }
        return unsafe output.count <= outputLimit
    }

    /// Writes what fits now.
    func flush() throws(LinkFailure) {
        let before = unsafe output.count
        guard before > 0 else { return }
        unsafe try output.drain { bytes, offset throws(LinkFailure) in
            try link.send(bytes, from: offset)
        }
        isBlocked = unsafe !output.isEmpty
        let taken = unsafe before - output.count
        guard taken > 0 else { return }
        progress += 1
        takenByteCount += taken
        if isBlocked { forgetTaken() } else { forgetAll() }
    }

    private func forgetTaken() {
        while unsafe firstWaiting < waiting.count,
            unsafe waiting[firstWaiting].end <= takenByteCount
        {
            if let event = unsafe waiting[firstWaiting].event {
                unsafe waitingEvents.remove(event)
                waitingEventByteCount -= event.count
            } else {
                outstandingCount -= 1
            }
            firstWaiting += 1
        }
        if unsafe firstWaiting * 2 > waiting.count {
            unsafe waiting.removeSubrange(..<firstWaiting)
            firstWaiting = 0
        }
    }

    private func forgetAll() {
        unsafe waiting.removeAll(keepingCapacity: waiting.capacity <= Self.keptCapacity)
        firstWaiting = 0
        outstandingCount = 0
        if unsafe !waitingEvents.isEmpty { unsafe waitingEvents = [] }
        waitingEventByteCount = 0
    }

    /// A turn's replies.
    private static let keptCapacity = 128

    /// A packet that waits for the reader.
    private struct Waiting {
        /// Where it ends, among all bytes that were ever queued.
        let end: Int
        /// The payload of an event; nil for a reply.
        let event: [UInt8]?
    }
}
