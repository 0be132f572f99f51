/// The sixteen bytes in front of each payload, in the machine's byte order: little-endian wherever Xen runs.
///
/// The corresponding Xen type is `struct xsd_sockmsg` (xen/include/public/io/xs_wire.h).
public struct PacketHeader: Hashable, Sendable {
    public var operation: StoreOperation
    /// Chosen by the client, repeated in the reply.
    public var requestID: UInt32
    public var transaction: TransactionID
    /// How many bytes of payload follow.
    public var payloadByteCount: UInt32

    public static let byteCount = 16

    public init(
        operation: StoreOperation, requestID: UInt32, transaction: TransactionID,
        payloadByteCount: UInt32
    ) {
        self.operation = operation
        self.requestID = requestID
        self.transaction = transaction
        self.payloadByteCount = payloadByteCount
    }

    /// Reads a header from its sixteen bytes; nil when there are fewer.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= Self.byteCount else { return nil }
        func word(_ index: Int) -> UInt32 {
            var word: UInt32 = 0
            for offset in 0..<4 {
                word |= UInt32(bytes[bytes.startIndex + index * 4 + offset]) << UInt32(offset * 8)
            }
            return word
        }
        self.init(
            operation: StoreOperation(rawValue: word(0)), requestID: word(1),
            transaction: TransactionID(rawValue: word(2)), payloadByteCount: word(3))
    }

    /// The header as it travels.
    public var bytes: [UInt8] {
        let words = [operation.rawValue, requestID, transaction.rawValue, payloadByteCount]
        return words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
    }
}
