/// Turns bytes, however they are cut, into packets. It never holds more than what it was given.
public struct PacketParser: Sendable {
    private var buffer: [UInt8] = []
    private var start = 0
    private var failure: StoreError?

    public init() {}

    /// Whether the stream broke the protocol: its packets' borders are lost, and the connection must end.
    public var isClosed: Bool { failure != nil }

    /// The bytes of a packet that has not arrived in full.
    public var pendingByteCount: Int { buffer.count - start }

    /// Takes the next bytes of the stream. Ignored once closed.
    public mutating func append(_ bytes: some Collection<UInt8>) {
        guard failure == nil else { return }
        if start > 0 {
            buffer.removeSubrange(..<start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole packet, or nil until more bytes come.
    ///
    /// Throws `.protocolViolation` for a length over the limit, from then on each time.
    public mutating func next() throws(StoreError) -> Packet? {
        if let failure { throw failure }
        guard let header = PacketHeader(buffer[start...]) else { return nil }
        guard header.payloadByteCount <= UInt32(Packet.payloadByteCountLimit) else {
            throw close(
                "\(header.operation) claims \(header.payloadByteCount) bytes of payload, and the limit is "
                    + "\(Packet.payloadByteCountLimit): the stream cannot be followed any more")
        }
        let payloadStart = start + PacketHeader.byteCount
        let end = payloadStart + Int(header.payloadByteCount)
        guard end <= buffer.count else { return nil }
        start = end
        return Packet(
            checked: header.operation, header.requestID, header.transaction,
            Array(buffer[payloadStart..<end]))
    }

    private mutating func close(_ message: String) -> StoreError {
        let failure = StoreError(.protocolViolation, message)
        self.failure = failure
        buffer = []
        start = 0
        return failure
    }
}
