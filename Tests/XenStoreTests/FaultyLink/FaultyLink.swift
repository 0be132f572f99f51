import XenCore
import XenStoreWire
import XenTesting

@testable import XenStoreClient

/// The way from the server to the client, which does to packets whatever the seed says.
struct FaultyLink {
    private let choices: HistoryChoices
    /// Bytes under way in this epoch, each packet with the time at which it arrives.
    private var packets: [(due: Deadline, bytes: [UInt8])] = []
    private var buffer: [UInt8] = []
    /// What was sent in earlier epochs, to come up again.
    private var old: [Packet] = []
    private var sent: [Packet] = []
    /// Until when nothing arrives.
    private var isSilentUntil = Deadline(sinceEpoch: .zero)
    /// Whether faults happen.
    var isFaulty = true

    init(_ choices: HistoryChoices) { self.choices = choices }

    /// A new connection: nothing of the old one is under way.
    mutating func reset() {
        old = Array((old + sent).suffix(16))
        (packets, buffer, sent) = ([], [], [])
    }

    private func happens(_ fault: String, _ probability: Double) -> Bool {
        isFaulty && choices.happens(fault, probability)
    }

    /// Sends packets to the client.
    mutating func send(_ new: [Packet], now: Deadline) {
        for packet in new {
            sent.append(packet)
            if happens("lost", 0.01) { continue }
            enqueue(distorted(packet), now)
            if happens("duplicated", 0.03) { enqueue(packet.bytes, now) }
            if let stale = old.randomElement(choices), happens("stale", 0.05) {
                enqueue(stale.bytes, now)
            }
            if packets.count > 1, happens("reordered", 0.05) {
                packets.swapAt(packets.count - 1, packets.count - 2)
            }
        }
        if happens("silence", 0.01) {
            isSilentUntil = now + .milliseconds(choices.number("silence.time", in: 1..<3000))
        }
    }

    /// Makes what was sent in earlier epochs look as if it were of this one.
    mutating func forge(for epoch: Epoch) {
        guard let packet = old.popLast(), packet.operation != .watchEvent else { return }
        let handle = RequestHandle(requestID: packet.requestID)
        guard
            let forged = try? Packet(
                packet.operation, requestID: handle.requestID(in: epoch),
                transaction: packet.transaction, payload: packet.payload)
        else { return }
        buffer += forged.bytes
    }

    private mutating func enqueue(_ bytes: [UInt8], _ now: Deadline) {
        let isDelayed = happens("delayed", 0.1)
        let delay = isDelayed ? choices.number("delay", in: 1..<1500) : 0
        packets.append((now + .milliseconds(delay), bytes))
    }

    /// Ids that no pending request has: other epoch's, other generation's.
    private func distorted(_ packet: Packet) -> [UInt8] {
        var header = PacketHeader(
            operation: packet.operation, requestID: packet.requestID,
            transaction: packet.transaction, payloadByteCount: UInt32(packet.payload.count))
        if happens("wrong id", 0.02) {
            header.requestID ^=
                [0x8000_0000, 0x0080_0000, 0xFFFF_FFFF][
                    choices.number("id", in: 0..<3)]
        }
        if happens("wrong type", 0.02) {
            header.operation = StoreOperation(
                rawValue: UInt32(choices.number("type", in: 100..<70_000)))
        }
        if happens("impossible length", 0.005) {
            header.payloadByteCount = UInt32(choices.number("length", in: 4097..<0x8000_0000))
        }
        return header.bytes + packet.payload
    }

    /// Some of the bytes that have arrived: glued or dribbled.
    mutating func receive(now: Deadline) -> ArraySlice<UInt8> {
        guard !isFaulty || isSilentUntil <= now else { return [] }
        while let first = packets.first, first.due <= now || !isFaulty {
            buffer += first.bytes
            packets.removeFirst()
        }
        let isDribbled = happens("dribbled", 0.3)
        let count = isDribbled ? choices.number("dribble", in: 0..<24) : buffer.count
        defer { buffer.removeFirst(min(count, buffer.count)) }
        return Array(buffer.prefix(count))[...]
    }
}

extension Array {
    fileprivate func randomElement(_ choices: HistoryChoices) -> Element? {
        isEmpty ? nil : self[choices.number("element", in: 0..<count)]
    }
}
