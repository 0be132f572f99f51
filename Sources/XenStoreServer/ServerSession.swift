import XenStoreWire
import XenSystem

/// A descriptor that the loop polls while others may already have let go of it.
final class SharedDescriptor: Sendable {
    let owned: OwnedDescriptor

    init(_ owned: consuming OwnedDescriptor) { self.owned = owned }
}

/// One connection's bytes, on their way in and out.
struct ServerSession: Sendable {
    let descriptor: SharedDescriptor
    private var parser = PacketParser()
    private var output = OutgoingBytes()
    /// The most bytes that may wait for the reader.
    private let outputLimit: Int
    /// Whether serving stopped because the client was held back.
    private var hasUnservedRequests = false

    init(_ descriptor: SharedDescriptor, outputLimit: Int) {
        self.descriptor = descriptor
        self.outputLimit = outputLimit
    }

    /// Whether the client must read replies before its next requests are looked at.
    var isHeldBack: Bool { output.count > outputLimit / 4 }

    var interest: PollInterest {
        var interest: PollInterest = isHeldBack ? [] : .readable
        if !output.isEmpty { interest.insert(.writable) }
        return interest
    }

    /// Reads what there is, a bufferful at most. False when the connection has ended.
    mutating func fill(_ buffer: inout [UInt8]) -> Bool {
        guard !isHeldBack else { return true }
        do {
            guard let count = try descriptor.owned.readAvailable(into: &buffer) else { return true }
            parser.append(buffer[..<count])
            return count > 0
        } catch { return false }
    }

    /// Whether requests that have been read can be served now, without waiting for more bytes.
    var isOwedService: Bool { hasUnservedRequests && !isHeldBack }

    /// The next request, while there is one and the client takes its replies.
    mutating func nextRequest() throws(StoreError) -> Packet? {
        hasUnservedRequests = isHeldBack
        return isHeldBack ? nil : try parser.next()
    }

    /// Queues a packet. False when its reader is so slow that the connection must end.
    mutating func queue(_ packet: Packet) -> Bool {
        output.append(packet.bytes)
        return output.count <= outputLimit
    }

    /// Writes what fits now. False when the connection has ended.
    mutating func flush() -> Bool {
        do throws(SystemFailure) {
            let descriptor = descriptor
            try output.drain { bytes, offset throws(SystemFailure) in
                try descriptor.owned.sendAvailable(bytes, from: offset) ?? 0
            }
            return true
        } catch { return false }
    }
}
