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

    /// Reads a header from its sixteen bytes at `offset`; nil when there are fewer.
    init?(_ bytes: [UInt8], at offset: Int) {
        guard offset >= 0, bytes.count - offset >= Self.byteCount else { return nil }
        let words = unsafe bytes.withUnsafeBytes { raw in
            // Safe: sixteen bytes follow `offset`, and every pattern of bits is four words.
            unsafe raw.loadUnaligned(fromByteOffset: offset, as: Words.self)
        }
        self.init(
            operation: StoreOperation(rawValue: UInt32(littleEndian: words[0])),
            requestID: UInt32(littleEndian: words[1]),
            transaction: TransactionID(rawValue: UInt32(littleEndian: words[2])),
            payloadByteCount: UInt32(littleEndian: words[3]))
    }

    /// The header as it travels.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    func append(to bytes: inout [UInt8]) {
        let words: Words = [
            operation.rawValue.littleEndian, requestID.littleEndian,
            transaction.rawValue.littleEndian, payloadByteCount.littleEndian,
        ]
        // Safe: the sixteen bytes of four words, copied within the call.
        unsafe withUnsafeBytes(of: words) { unsafe bytes.append(contentsOf: $0) }
    }

    private typealias Words = InlineArray<4, UInt32>
}
