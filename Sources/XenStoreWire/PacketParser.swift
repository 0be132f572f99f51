/// Turns bytes, however they are cut, into packets. It never holds more than what it was given.
public struct PacketParser: Sendable {
    private var queue = ByteQueue(keptByteCount: 4096)
    private var failure: StoreError?

    /// The packet with which the stream broke the protocol, as its header has it.
    package private(set) var refusedHeader: PacketHeader?

    public init() {}

    /// Whether the stream broke the protocol: its packets' borders are lost, and the connection must end.
    public var isClosed: Bool { failure != nil }

    /// The bytes of a packet that has not arrived in full, and of packets that were not taken yet.
    public var pendingByteCount: Int { queue.count }

    /// The memory that the parser has, in bytes.
    package var byteCapacity: Int { queue.byteCapacity }

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
        if failure == nil { unsafe queue.append(copying: UnsafeRawBufferPointer(bytes)) }
    }

    /// The next whole packet, or nil until more bytes come.
    ///
    /// Throws `.protocolViolation` for a length over the limit, from then on each time.
    public mutating func next() throws(StoreError) -> Packet? {
        if let failure { throw failure }
        guard let header = queue.withBytes({ PacketHeader($0) }) else { return nil }
        guard header.payloadByteCount <= UInt32(Packet.payloadByteCountLimit) else {
            refusedHeader = header
            throw close(
                "\(header.operation) claims \(header.payloadByteCount) bytes of payload, and the limit is "
                    + "\(Packet.payloadByteCountLimit): the stream cannot be followed any more")
        }
        let byteCount = PacketHeader.byteCount + Int(header.payloadByteCount)
        guard byteCount <= queue.count else { return nil }
        let payload = queue.withBytes {
            [UInt8](copying: $0.extracting(PacketHeader.byteCount..<byteCount))
        }
        queue.removeFirst(byteCount)
        return Packet(checked: header.operation, header.requestID, header.transaction, payload)
    }

    private mutating func close(_ message: String) -> StoreError {
        let failure = StoreError(.protocolViolation, message)
        self.failure = failure
        queue.removeAll()
        return failure
    }
}
