import Testing
import XenCore
import XenStoreWire

@testable import XenStoreClient

/// The client's core against servers of every kind.
@Suite struct ClientCoreTests {
    private func reply(
        _ id: UInt32, _ operation: StoreOperation, _ payload: String
    ) throws -> [UInt8] {
        try Packet(operation, requestID: id, payload: Script.octets(payload)).bytes
    }

    private func results(_ arrivals: [ClientCore.Arrival]) -> [String] {
        arrivals.map { arrival in
            switch arrival {
            case .reply(let id, .success(let payload)): "\(id) \(Script.text(payload))"
            case .reply(let id, .failure(let error)):
                "\(id) \(error.name?.rawValue ?? error.code.description)"
            case .event(let token): "event \(token.rawValue)"
            case .cleanUp(let request, let transaction):
                "send \(request) in \(transaction.rawValue)"
            }
        }
    }

    @Test func repliesAreMatchedByIdInAnyOrder() throws {
        var core = ClientCore(payloadByteCountLimit: 4096)
        let ids = try (0..<3).map { _ in try core.begin(.read("/a"), in: .none).requestID }
        #expect(Set(ids).count == 3)
        let stream =
            try reply(ids[2], .read, "c") + reply(ids[0], .error, "ENOENT|")
            + reply(ids[1], .read, "b")
        #expect(
            results(try core.receive(stream)) == ["\(ids[2]) c", "\(ids[0]) ENOENT", "\(ids[1]) b"])
        #expect(core.counters == ClientCounters())
    }

    @Test func unknownAndRepeatedIdsAreCountedAndDropped() throws {
        var core = ClientCore(payloadByteCountLimit: 4096)
        let id = try core.begin(.read("/a"), in: .none).requestID
        let stream =
            try reply(id, .read, "x") + reply(id, .read, "y") + reply(.max, .error, "EIO|")
            + reply(0, .invalid, "")
        #expect(results(try core.receive(stream)) == ["\(id) x"])
        #expect(core.counters.unknownReplies == 3)
    }

    @Test func aReplyOfAnotherTypeIsAViolation() throws {
        var core = ClientCore(payloadByteCountLimit: 4096)
        let id = try core.begin(.read("/a"), in: .none).requestID
        #expect(
            results(try core.receive(try reply(id, .write, "OK|"))) == ["\(id) protocol violation"])
    }

    @Test func anImpossibleLengthEndsTheConnection() throws {
        for length: UInt32 in [4097, 0x8000_0000, .max] {
            var core = ClientCore(payloadByteCountLimit: 4096)
            let header = PacketHeader(
                operation: .read, requestID: 1, transaction: .none, payloadByteCount: length)
            #expect(throws: StoreError.self) { _ = try core.receive(header.bytes) }
        }
    }

    @Test func eventsAreKnownByTypeAndToken() throws {
        var core = ClientCore(payloadByteCountLimit: 4096)
        let token = core.addWatch("/a", limit: 8)
        let text = Script.text(token.bytes)
        // The id may be anything, even that of a request that waits.
        let id = try core.begin(.read("/a"), in: .none).requestID
        #expect(
            results(try core.receive(try reply(id, .watchEvent, "/a/b|\(text)|"))) == [
                "event \(token.rawValue)"
            ])
        #expect(try core.nextEvent(token) == .changed("/a/b"))
        #expect(try core.nextEvent(token) == nil)
        let stream = try reply(0, .watchEvent, "/a|nobody|") + reply(0, .watchEvent, "/a|99|")
        #expect(results(try core.receive(stream)) == [])
        #expect(core.counters.unknownEvents == 2)
        for payload in ["", "|", "/a", "/a|", "/a//|\(text)|", "/ |\(text)|"] {
            #expect(results(try core.receive(try reply(0, .watchEvent, payload))) == [])
        }
        #expect(core.counters.malformedEvents == 6)
        _ = core.removeWatch(token)
        #expect(results(try core.receive(try reply(0, .watchEvent, "/a|\(text)|"))) == [])
        #expect(core.counters.unknownEvents == 3)
    }

    @Test func aFullQueueEndsInOneOverflow() throws {
        var core = ClientCore(payloadByteCountLimit: 4096)
        let token = core.addWatch("/", limit: 2)
        let text = Script.text(token.bytes)
        for index in 0..<1000 {
            _ = try core.receive(try reply(0, .watchEvent, "/\(index)|\(text)|"))
        }
        #expect(try core.nextEvent(token) == .changed("/0"))
        #expect(try core.nextEvent(token) == .changed("/1"))
        #expect(try core.nextEvent(token) == .overflow)
        #expect(try core.nextEvent(token) == nil)
        core.finish(StoreError(.disconnected, "gone"))
        #expect(throws: StoreError.self) { _ = try core.nextEvent(token) }
    }

    @Test func whatAWithdrawnRequestMadeIsTakenBack() throws {
        var core = ClientCore(payloadByteCountLimit: 4096)
        let start = try core.begin(.transactionStart, in: .none).requestID
        let watch = try core.begin(.watch("/a", token: [0x31]), in: .none).requestID
        let read = try core.begin(.read("/a"), in: .none).requestID
        for id in [start, watch, read] { core.withdraw(id) }
        let stream =
            try reply(start, .transactionStart, "7|") + reply(watch, .watch, "OK|")
            + reply(read, .read, "x")
        #expect(
            results(try core.receive(stream)) == [
                "send TRANSACTION_END in 7", "send UNWATCH /a in 0",
            ])
        #expect(core.counters.lateReplies == 3)
    }

    @Test func aSilentServerCannotMakeUsGrow() throws {
        var core = ClientCore(payloadByteCountLimit: 4096)
        for _ in 0..<ClientCore.requestLimit {
            core.withdraw(try core.begin(.read("/a"), in: .none).requestID)
        }
        let error = #expect(throws: StoreError.self) { _ = try core.begin(.read("/a"), in: .none) }
        #expect(error?.code == .limitReached)
    }

    @Test func theTransportsLimitIsKept() throws {
        var core = ClientCore(payloadByteCountLimit: 4080)
        _ = try core.begin(.write("/a", [UInt8](repeating: 0, count: 4077)), in: .none)
        let error = #expect(throws: StoreError.self) {
            _ = try core.begin(.write("/a", [UInt8](repeating: 0, count: 4078)), in: .none)
        }
        #expect(error?.code == .tooLong)
    }

    @Test func garbageNeverDoesMoreThanEndTheConnection() throws {
        var random = SplitMix(seed: 2)
        for _ in 0..<2000 {
            var core = ClientCore(payloadByteCountLimit: 4096)
            _ = core.addWatch("/a", limit: 4)
            for _ in 0..<4 { _ = try core.begin(.transactionStart, in: .none) }
            core.withdraw(1)
            for _ in 0..<8 {
                let payload = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                let packet = try Packet(
                    StoreOperation(rawValue: UInt32.random(in: 0...20, using: &random)),
                    requestID: UInt32.random(in: 0...6, using: &random), payload: payload)
                var bytes = packet.bytes
                if Bool.random(using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
                do { _ = try core.receive(bytes) } catch { break }
            }
        }
    }
}
