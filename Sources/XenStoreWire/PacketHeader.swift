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

    /// Reads a header from the first sixteen bytes; nil when there are fewer.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= Self.byteCount else { return nil }
        // Safe: sixteen bytes are there, and every pattern of bits is four words.
        let words = unsafe bytes.bytes.unsafeLoadUnaligned(as: Words.self)
        self.init(
            operation: StoreOperation(rawValue: UInt32(littleEndian: words[0])),
            requestID: UInt32(littleEndian: words[1]),
            transaction: TransactionID(rawValue: UInt32(littleEndian: words[2])),
            payloadByteCount: UInt32(littleEndian: words[3]))
    }

    /// The header as it travels.
    public var bytes: [UInt8] {
        // Safe: sixteen bytes, copied within the call.
        unsafe withUnsafeBytes(of: words) { unsafe Array($0) }
    }

    /// Adds the header as it travels to what goes before it.
    package func append(to bytes: inout [UInt8]) {
        // Safe: as above.
        unsafe withUnsafeBytes(of: words) { unsafe bytes.append(contentsOf: $0) }
    }

    private typealias Words = InlineArray<4, UInt32>

    private var words: Words {
        [
            operation.rawValue.littleEndian, requestID.littleEndian,
            transaction.rawValue.littleEndian, payloadByteCount.littleEndian,
        ]
    }
}
