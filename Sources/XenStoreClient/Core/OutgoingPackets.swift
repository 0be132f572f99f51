import XenCore
import XenStoreWire

/// The bytes that wait for the transport, as one stream in each epoch.
struct OutgoingPackets: Sendable {
    /// What waits, after `offset`.
    private(set) var bytes: [UInt8] = []
    private(set) var offset = 0
    /// How many bytes of the stream the transport has taken.
    private(set) var handedOver: UInt64 = 0

    var count: Int { bytes.count - offset }

    /// Where in the stream the next packet begins.
    var end: UInt64 { handedOver + UInt64(count) }

    mutating func append(
        _ request: Request, requestID: UInt32, transaction: TransactionID, byteCount: Int
    ) {
        PacketHeader(
            operation: request.operation, requestID: requestID, transaction: transaction,
            payloadByteCount: UInt32(byteCount)
        ).append(to: &bytes)
        request.appendPayload(to: &bytes)
    }

    /// The transport has taken so many.
    mutating func take(_ taken: Int) {
        offset += taken
        handedOver += UInt64(taken)
        if offset == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptCapacity)
            offset = 0
        } else if offset >= count {
            // Each byte is moved once at most for each byte that was taken.
            bytes.removeSubrange(..<offset)
            offset = 0
        }
    }

    /// In bytes: what some dozens of small requests take.
    private static let keptCapacity = 65536
}
