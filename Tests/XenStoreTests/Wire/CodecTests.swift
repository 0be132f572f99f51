import Testing
import XenCore
import XenStoreWire

/// The codec at the edges of every field, and on bytes that mean nothing.
@Suite struct CodecTests {
    static let edges: [UInt32] = [
        0, 1, 26, 27, 4095, 4096, 4097, 65535, 0x7FFF_FFFF, 0x8000_0000, .max - 1, .max,
    ]

    @Test(arguments: edges) func everyHeaderFieldSurvives(_ edge: UInt32) throws {
        let packet = try Packet(
            StoreOperation(rawValue: edge), requestID: edge,
            transaction: TransactionID(rawValue: edge),
            payload: [1, 2, 3])
        var parser = PacketParser()
        parser.append(packet.bytes)
        #expect(try parser.next() == packet)
        #expect(try parser.next() == nil)
    }

    @Test(arguments: edges) func theLengthIsHeldToItsLimit(_ edge: UInt32) throws {
        let header = PacketHeader(
            operation: .read, requestID: 1, transaction: .none, payloadByteCount: edge)
        var parser = PacketParser()
        parser.append(header.bytes)
        guard edge > 4096 else {
            parser.append([UInt8](repeating: 7, count: Int(edge)))
            #expect(try parser.next()?.payload.count == Int(edge))
            return
        }
        for _ in 0..<2 {
            let error = #expect(throws: StoreError.self) { _ = try parser.next() }
            #expect(error?.code == .protocolViolation)
            #expect(parser.isClosed)
            parser.append([UInt8](repeating: 0, count: 100))
            #expect(parser.pendingByteCount == 0)
        }
    }

    @Test func theHeaderIsXenStruct() throws {
        let packet = try Packet(
            .write, requestID: 0x0102_0304, transaction: TransactionID(rawValue: 5), payload: [9])
        #expect(packet.bytes == [11, 0, 0, 0, 4, 3, 2, 1, 5, 0, 0, 0, 1, 0, 0, 0, 9])
    }

    @Test func packetsSurviveAnyCut() throws {
        let packets = try [
            Packet(.read, requestID: 1, payload: Array("/a\0".utf8)),
            Packet(.directory, requestID: 2, payload: []),
            Packet(.write, requestID: 3, payload: [UInt8](0...255)),
        ]
        let stream = packets.flatMap(\.bytes)
        for cut in 0...stream.count {
            var parser = PacketParser()
            var found: [Packet] = []
            for piece in [stream[..<cut], stream[cut...]] {
                parser.append(piece)
                while let packet = try parser.next() { found.append(packet) }
            }
            #expect(found == packets)
        }
        var parser = PacketParser()
        var found: [Packet] = []
        for byte in stream {
            parser.append([byte])
            while let packet = try parser.next() { found.append(packet) }
        }
        #expect(found == packets)
    }

    @Test func aPayloadOverTheLimitIsNoPacket() throws {
        #expect(
            try Packet(.write, requestID: 1, payload: [UInt8](repeating: 0, count: 4096)).payload
                .count == 4096)
        #expect(throws: StoreError.self) {
            try Packet(.write, requestID: 1, payload: [UInt8](repeating: 0, count: 4097))
        }
    }

    static let requests: [Request] = [
        .control([Array("help".utf8)]), .directory("/a"), .read("a/b"), .getPermissions("/"),
        .watch("/a", token: [1, 2]), .watch("/a", token: [], depth: 3),
        .unwatch("@releaseDomain", token: [9]),
        .transactionStart, .transactionEnd(commit: true), .transactionEnd(commit: false),
        .introduce(DomainID(3), frame: -1, port: EventPort(rawValue: 4)), .release(DomainID(65535)),
        .getDomainPath(DomainID(0)), .write("/a", [0, 255]), .write("/a", []), .makeDirectory("/a"),
        .remove("/a"),
        .setPermissions("/a", [.init(.none, for: .dom0), .init(.readWrite, for: DomainID(9))]),
        .isDomainIntroduced(DomainID(1)), .resume(DomainID(1)),
        .setTarget(DomainID(1), target: DomainID(2)),
        .resetWatches, .directoryPart("/a", offset: 4096), .getFeature(nil),
        .getFeature(DomainID(1)),
        .setFeature(DomainID(1), [.error, .anyDomain]), .getQuota(nil, name: nil),
        .getQuota(nil, name: Array("nodes".utf8)),
        .getQuota(DomainID(1), name: Array("nodes".utf8)),
        .setQuota(nil, name: Array("nodes".utf8), limit: 5),
        .setQuota(DomainID(1), name: Array("nodes".utf8), limit: 0),
    ]

    @Test(arguments: requests) func everyRequestIsReadBack(_ request: Request) throws {
        #expect(try Request(decoding: request.operation, payload: request.payload) == request)
    }

    @Test func everyOperationIsCovered() {
        let notAsked: Set<StoreOperation> = [.watchEvent, .error, .restrict]
        let all = Set((0...26).map(StoreOperation.init(rawValue:)))
        #expect(Set(Self.requests.map(\.operation)) == all.subtracting(notAsked))
        #expect(StoreOperation(rawValue: 27).description == "operation 27")
    }

    @Test func garbageIsAnErrorAndNothingElse() throws {
        var random = SplitMix(seed: 1)
        for _ in 0..<20_000 {
            let payload = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? UInt8.random(in: 0...255, using: &random)
                    : Array("/a0nrwb@-|T".utf8).randomElement(using: &random) ?? 0
            }
            let operation = StoreOperation(rawValue: UInt32.random(in: 0...28, using: &random))
            _ = try? Request(decoding: operation, payload: payload)
            _ = try? Reply.names(payload)
            _ = try? Reply.permissions(payload)
            _ = try? Reply.transaction(payload)
            _ = try? Reply.part(payload)
            _ = try? Reply.event(payload)
            _ = StoreErrorName(payload: payload)
            var parser = PacketParser()
            parser.append(payload)
            while (try? parser.next()) != nil {}
        }
    }

    @Test func unknownErrorNamesAreKept() {
        #expect(
            StoreErrorName(payload: Array("EFUTURE\0".utf8)) == StoreErrorName(rawValue: "EFUTURE"))
        #expect(StoreErrorName(payload: []).rawValue == "")
        #expect(StoreErrorName.again.payload == Array("EAGAIN\0".utf8))
    }
}
