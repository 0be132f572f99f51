import Testing
import XenCore
import XenStoreServer
import XenStoreWire

/// Streams that break the protocol, or nearly: whoever sends one loses its own connection at most.
@Suite(.timeLimit(.minutes(1))) struct MalformedStreamTests {
    static let operations: [StoreOperation] = [
        .control, .read, .write, .watchEvent, .error, .setQuota, .invalid,
        StoreOperation(rawValue: .max),
    ]

    @Test(arguments: operations, [4097, 0x7FFF_FFFF, 0x8000_0000, .max] as [UInt32])
    func aLengthOverTheLimitEndsTheConnection(_ operation: StoreOperation, _ length: UInt32) throws
    {
        let server = try StoreServer()
        let first = try Packet(.read, requestID: 1, payload: Array("/tool\0".utf8)).bytes
        let header = PacketHeader(
            operation: operation, requestID: 2, transaction: .none, payloadByteCount: length)
        // What comes before is still answered, and what comes after is not looked at.
        for domain in [DomainID.dom0, DomainID(3)] {
            let outcome = try exchange(first + header.bytes + first, with: server, as: domain)
            #expect(outcome.hasEnded && outcome.replies.count <= 1)
        }
        #expect(try exchange(first, with: server, as: .dom0).replies.count == 2)
    }

    @Test(arguments: operations)
    func aPayloadOfAllThatIsAllowedIsAnswered(_ operation: StoreOperation) throws {
        let server = try StoreServer()
        for byte in [0, 0x2F, 0x61, 0xFF] as [UInt8] {
            let payload = [UInt8](repeating: byte, count: Packet.payloadByteCountLimit)
            let packet = try Packet(operation, requestID: .max, payload: payload)
            let outcome = try exchange(packet.bytes, with: server, as: DomainID(3))
            #expect(!outcome.hasEnded && outcome.replies.map(\.requestID) == [.max, Self.lastID])
            #expect(outcome.replies.first?.operation == .error)
        }
    }

    @Test func aPacketThatNeverEndsHoldsNobodyUp() throws {
        let server = try StoreServer()
        let whole = try Packet(.write, requestID: 1, payload: Array("/a\0value".utf8)).bytes
        var halves: [any ByteTransport] = []
        for count in 0..<whole.count {
            let half = try server.connect(as: .dom0)
            #expect(try half.write(Array(whole[..<count]), from: 0) == count)
            halves.append(half)
        }
        // A whole one, beside all the others.
        #expect(
            try exchange(whole, with: server, as: .dom0).replies.first?.payload
                == Reply.acknowledgement)
        for half in halves { half.close() }
        #expect(try exchange(whole, with: server, as: .dom0).replies.count == 2)
    }

    private static let lastID: UInt32 = 0x4C41_5354

    /// What comes back until a last request is answered, or the connection has ended.
    private func exchange(
        _ bytes: [UInt8], with server: StoreServer, as domain: DomainID
    ) throws -> (replies: [Packet], hasEnded: Bool) {
        let transport = try server.connect(as: domain)
        let last = try Packet(.getDomainPath, requestID: Self.lastID, payload: Array("0\0".utf8))
        let stream = bytes + last.bytes
        try #require(try transport.write(stream, from: 0) == stream.count)
        var parser = PacketParser()
        var replies: [Packet] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        let deadline = Deadline.after(.seconds(20))
        while !deadline.hasPassed {
            do throws(StoreError) {
                guard let count = try transport.read(into: &buffer) else {
                    try transport.wait(forWriting: false, until: deadline)
                    continue
                }
                if count == 0 { return (replies, true) }
                parser.append(buffer[..<count])
            } catch { return (replies, true) }
            while let packet = try parser.next() { replies.append(packet) }
            if replies.last?.requestID == Self.lastID { return (replies, false) }
        }
        throw StoreError(.timedOut, "the server neither answers nor ends the connection")
    }
}
