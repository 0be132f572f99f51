/// Turns bytes, however they are cut, into packets. It never holds more than what it was given.
public struct PacketParser: Sendable {
    private var buffer: [UInt8] = []
    /// Where the first packet begins that was not taken.
    private var start = 0
    private var failure: StoreError?

    public init() {}

    /// Whether the stream broke the protocol: its packets' borders are lost, and the connection must end.
    public var isClosed: Bool { failure != nil }

    /// The bytes of a packet that has not arrived in full, and of packets that were not taken yet.
    public var pendingByteCount: Int { buffer.count - start }

    /// The memory that the parser keeps, in bytes: a few times what was pending at once, or a little.
    package var byteCapacity: Int { buffer.capacity }

    /// Takes the next bytes of the stream. Ignored once closed.
    public mutating func append(_ bytes: some Collection<UInt8>) {
        if bytes.withContiguousStorageIfAvailable({ unsafe append(copying: $0) }) == nil {
            append(Array(bytes)[...])
        }
    }

    /// Takes the next bytes of the stream. Ignored once closed.
    public mutating func append(_ bytes: ArraySlice<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(copying: $0) }
    }

    /// Safe: the bytes are copied within the call.
    @unsafe
    private mutating func append(copying bytes: UnsafeBufferPointer<UInt8>) {
        guard failure == nil else { return }
        makeRoom()
        unsafe buffer.append(contentsOf: bytes)
    }

    /// Moves what is pending to the front once that is no more than what was taken before it: each byte is moved once
    /// at most for each byte taken. A buffer that grew large is given back as soon as nothing is pending.
    private mutating func makeRoom() {
        guard start > 0, start >= pendingByteCount else { return }
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= Self.keptCapacity)
        } else {
            buffer.removeSubrange(..<start)
        }
        start = 0
    }

    /// In bytes: what a small request takes.
    private static let keptCapacity = 512

    /// The next whole packet, or nil until more bytes come.
    ///
    /// Throws `.protocolViolation` for a length over the limit, from then on each time.
    public mutating func next() throws(StoreError) -> Packet? {
        if let failure { throw failure }
        guard let header = PacketHeader(buffer, at: start) else { return nil }
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
