import XenCore

/// What the header of a request/response ring says (`struct <name>_sring` of xen/io/ring.h).
///
/// An end's consumer index is private and does not stand in the page. What is said of it follows from the
/// event index, for ends that ask to be notified of the very next message, as `RING_FINAL_CHECK_FOR_REQUESTS`
/// does, and that have been there since; an end that took over may have begun anew.
public struct MessageRingReport: Hashable, Sendable {
    /// The size of a slot in bytes.
    public let slotByteCount: Int

    /// The slots: a power of two.
    public let slotCount: UInt32

    /// From the front to the back.
    public let requests: Lane

    /// From the back to the front.
    public let responses: Lane

    /// The published requests without a published response; nil when the indices cannot be.
    public let unansweredCount: UInt32?

    /// The slots that the front can use: at least the lower number now, and the upper one as soon as it
    /// takes the responses that wait. Nil when the indices cannot be.
    public let freeSlotCount: ClosedRange<UInt32>?

    /// One direction.
    public struct Lane: Hashable, Sendable {
        public let direction: RingDirection

        /// Past the last published message.
        public let producer: RingIndex

        /// The producer index at which the consuming end wants to be notified.
        public let event: RingIndex

        /// What follows from these two.
        public let wakeUp: WakeUp

        /// The most published messages that the consuming end may not have taken; nil when the indices cannot be.
        public let waitingLimit: UInt32?

        /// The slot of the next message, counted from 0.
        public let nextSlot: Int

        /// Where that slot begins, in bytes from the ring's start.
        public let nextSlotOffset: Int
    }

    /// When the consuming end of a direction is notified.
    public enum WakeUp: Hashable, Sendable {
        /// By the next message: it sleeps, or is about to.
        case byNext
        /// After this many messages, two or more: it asked for several at once.
        case after(UInt32)
        /// The index was reached, and this many messages came after it: the end is awake or was notified.
        case passed(by: UInt32)
        /// The index is this far ahead, more than can come before the end goes on: it is not notified.
        case unreachable(by: UInt32)
    }
}

extension MessageRingReport {
    /// Nil if there is not room for one slot.
    init?(_ bytes: [UInt8], slotByteCount: Int, findings: inout [RingFinding]) {
        let header = 64
        guard bytes.count - header >= slotByteCount else { return nil }
        let slots = powerOfTwo(atMost: (bytes.count - header) / slotByteCount)
        let (requested, responded) = (RingIndex(bytes.word(at: 0)), RingIndex(bytes.word(at: 8)))
        let unanswered = requested.distance(from: responded)
        let isPossible = unanswered <= slots

        func lane(
            _ direction: RingDirection, _ producer: RingIndex, eventOffset: Int, room: UInt32,
            most: UInt32
        ) -> Lane {
            let event = RingIndex(bytes.word(at: eventOffset))
            let wakeUp = WakeUp(producer: producer, event: event, room: isPossible ? room : slots)
            let slot = producer.position(mask: slots - 1)
            return Lane(
                direction: direction, producer: producer, event: event, wakeUp: wakeUp,
                waitingLimit: isPossible ? wakeUp.waitingLimit(atMost: most) : nil,
                nextSlot: slot, nextSlotOffset: header + slot * slotByteCount)
        }
        let free = slots &- unanswered
        let requests = lane(.request, requested, eventOffset: 4, room: free, most: unanswered)
        let responses = lane(.response, responded, eventOffset: 12, room: unanswered, most: free)

        self.slotByteCount = slotByteCount
        slotCount = slots
        self.requests = requests
        self.responses = responses
        unansweredCount = isPossible ? unanswered : nil
        freeSlotCount = responses.waitingLimit.map { free - $0...free }
        findings += indexFindings() + eventFindings(bytes) + paddingFindings(bytes)
    }

    private func indexFindings() -> [RingFinding] {
        guard unansweredCount == nil else { return [] }
        let ahead = responses.producer.distance(from: requests.producer)
        if ahead < 1 << 31 {
            return [
                RingFinding(
                    .error, .responsesAhead,
                    """
                    The responses are \(ahead) ahead of the requests: the back answered what was never asked, \
                    or the front's index went backwards.
                    """)
            ]
        }
        return [
            RingFinding(
                .error, .beyondCapacity,
                """
                \(0 &- ahead) requests have no response where \(slotCount) slots are: the front ran over \
                requests that were not answered, or this is no such ring.
                """)
        ]
    }

    private func eventFindings(_ bytes: [UInt8]) -> [RingFinding] {
        if bytes.allSatisfy({ $0 == 0 }) {
            return [
                RingFinding(
                    .warning, .neverMade,
                    """
                    All bytes are zero: no ring was made here. A fresh ring has 1 in both event indices; with 0 \
                    the first message wakes nobody.
                    """)
            ]
        }
        return [requests, responses].compactMap { lane in
            if case .unreachable(let distance) = lane.wakeUp {
                return RingFinding(
                    .warning, .unreachableEvent,
                    """
                    The \(lane.direction) event index is \(distance) past the last \(lane.direction), out of the \
                    window: nobody will be woken, a lost wake-up if \(lane.consumer) sleeps.
                    """)
            }
            // After 2^32 messages 0 is an honest index, but then the slots have carried something.
            let isUnused = (requests.producer.rawValue | responses.producer.rawValue) == 0
            if isUnused, lane.event.rawValue == 0, bytes[64...].allSatisfy({ $0 == 0 }) {
                return RingFinding(
                    .warning, .unmadeEvent,
                    """
                    The \(lane.direction) event index is 0 in a ring that has carried nothing: it is made with 1, \
                    and with 0 the first \(lane.direction) wakes nobody.
                    """)
            }
            return nil
        }
    }

    private func paddingFindings(_ bytes: [UInt8]) -> [RingFinding] {
        var findings: [RingFinding] = []
        if bytes[16..<20].contains(where: { $0 != 0 }) {
            findings.append(
                RingFinding(
                    .note, .padding,
                    "The private bytes at 16 to 19 are not zero: some network and tap drivers use them."
                ))
        }
        if bytes[20..<64].contains(where: { $0 != 0 }) {
            findings.append(
                RingFinding(
                    .warning, .padding,
                    """
                    The padding at 20 to 63 is not zero: one end writes past its fields, or no ring begins here.
                    """))
        }
        return findings
    }
}

extension MessageRingReport.Lane {
    /// Who takes the messages.
    var consumer: String {
        switch direction {
        case .request: "the back"
        case .response: "the front"
        }
    }
}

extension MessageRingReport.WakeUp {
    /// - Parameter room: the messages that can come before the consuming end does anything.
    fileprivate init(producer: RingIndex, event: RingIndex, room: UInt32) {
        let ahead = event.distance(from: producer)
        if ahead == 1 {
            self = .byNext
        } else if ahead == 0 || ahead > 1 << 31 {
            self = .passed(by: 0 &- ahead)
        } else {
            self = ahead <= room ? .after(ahead) : .unreachable(by: ahead)
        }
    }

    /// How many messages may wait to be taken, given that `most` may by the indices alone.
    fileprivate func waitingLimit(atMost most: UInt32) -> UInt32 {
        switch self {
        case .byNext: 0
        case .passed(let count): min(most, count + 1)
        case .after, .unreachable: most
        }
    }
}
