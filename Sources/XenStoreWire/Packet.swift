/// One message of the protocol, either way.
public struct Packet: Hashable, Sendable {
    public let operation: StoreOperation
    public let requestID: UInt32
    public let transaction: TransactionID
    public let payload: [UInt8]

    /// The most bytes that a payload may have (`XENSTORE_PAYLOAD_MAX`). A longer one ends the connection.
    public static let payloadByteCountLimit = 4096

    /// Throws `.tooLong` for a payload that no server or client would take.
    public init(
        _ operation: StoreOperation, requestID: UInt32, transaction: TransactionID = .none,
        payload: [UInt8]
    ) throws(StoreError) {
        guard payload.count <= Self.payloadByteCountLimit else {
            throw StoreError(
                .tooLong,
                "\(operation) with \(payload.count) bytes does not fit a packet of \(Self.payloadByteCountLimit)"
            )
        }
        self.init(checked: operation, requestID, transaction, payload)
    }

    init(
        checked operation: StoreOperation, _ requestID: UInt32, _ transaction: TransactionID,
        _ payload: [UInt8]
    ) {
        self.operation = operation
        self.requestID = requestID
        self.transaction = transaction
        self.payload = payload
    }

    var header: PacketHeader {
        PacketHeader(
            operation: operation, requestID: requestID, transaction: transaction,
            payloadByteCount: UInt32(payload.count))
    }

    /// The packet as it travels.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(PacketHeader.byteCount + payload.count)
        append(to: &bytes)
        return bytes
    }

    /// Appends the packet as it travels.
    func append(to bytes: inout [UInt8]) {
        header.append(to: &bytes)
        bytes.append(contentsOf: payload)
    }
}
