import Testing
import XenCore
import XenStoreWire

@testable import XenStoreClient

/// The client's core against servers of every kind, within one epoch.
@Suite struct ClientCoreTests {
    @Test func repliesAreMatchedByIdInAnyOrder() throws {
        var client = CoreHarness()
        let handles = try (0..<3).map { _ in try client.begin(.read("/a")) }
        let sent = try client.flush()
        #expect(Set(sent.map(\.requestID)).count == 3)
        try client.answer(sent[2], "c")
        try client.refuse(sent[0], "ENOENT")
        try client.answer(sent[1], "b")
        #expect(
            client.endings() == [handles[0]: "ENOENT", handles[1]: "b", handles[2]: "c"])
        #expect(client.core.counters == ClientCounters())
    }

    @Test func unknownAndRepeatedIdsAreCountedAndDropped() throws {
        var client = CoreHarness()
        let handle = try client.begin(.read("/a"))
        // Not sent yet, so there cannot be a reply.
        try client.receive(handle.requestID(in: client.core.epoch), .read, "early")
        let request = try #require(try client.flush().first)
        try client.answer(request, "x")
        try client.answer(request, "y")
        try client.receive(.max, .error, "EIO|")
        try client.receive(0, .invalid, "")
        #expect(client.endings() == [handle: "x"])
        #expect(client.core.counters.unknownReplies == 4)
    }

    @Test func noIdIsEverUsedTwiceInARow() throws {
        var client = CoreHarness()
        var ids: Set<UInt32> = []
        for _ in 0..<4095 {
            _ = try client.begin(.read("/a"))
            let request = try #require(try client.flush().first)
            #expect(request.requestID != 0)
            ids.insert(request.requestID)
            try client.answer(request, "x")
        }
        #expect(ids.count == 4095)
    }

    @Test func aReplyOfAnotherTypeIsAViolation() throws {
        var client = CoreHarness()
        let handle = try client.begin(.read("/a"))
        let request = try #require(try client.flush().first)
        try client.receive(request.requestID, .write, "OK|")
        #expect(client.endings() == [handle: "protocol violation"])
    }

    @Test func anImpossibleLengthEndsTheConnection() throws {
        for length: UInt32 in [4097, 0x8000_0000, .max] {
            var client = CoreHarness()
            let header = PacketHeader(
                operation: .read, requestID: 1, transaction: .none, payloadByteCount: length)
            #expect(throws: StoreError.self) { try client.core.receive(header.bytes[...]) }
        }
    }

    @Test func aReplyThatIsTooLongIsNotAskedForAgain() throws {
        var client = CoreHarness()
        let poison = try client.begin(.directory("/a"))
        let other = try client.begin(.read("/a"))
        let request = try #require(try client.flush().first)
        let header = PacketHeader(
            operation: .directory, requestID: request.requestID, transaction: .none,
            payloadByteCount: 5000)
        #expect(throws: StoreError.self) { try client.core.receive(header.bytes[...]) }
        #expect(client.endings() == [poison: "protocol violation"])
        client.disconnect()
        client.connect()
        let again = try client.flush()
        #expect(again.map(\.operation) == [.read])
        try client.answer(again[0], "x")
        #expect(client.endings() == [other: "x"])
    }

    @Test func somethingFollowsEveryEmptyPacketOnAStream() throws {
        for request in [Request.getFeature(nil), .getQuota(nil, name: nil)] {
            var client = CoreHarness()
            let handle = try client.begin(request)
            let sent = try client.flush()
            #expect(sent.map(\.operation) == [request.operation, .getDomainPath])
            try client.refuse(sent[0], "ENOSYS")
            try client.answer(sent[1], "/local/domain/0|")
            #expect(client.endings() == [handle: "ENOSYS"])
            #expect(client.core.counters == ClientCounters())
        }
    }

    @Test func eventsAreKnownByTypeAndToken() throws {
        var client = CoreHarness()
        let (id, token) = try client.establishedWatch("/a")
        // The id may be anything, even that of a request that waits.
        _ = try client.begin(.read("/a"))
        let request = try #require(try client.flush().first)
        try client.receive(request.requestID, .watchEvent, "/a/b|\(token)|")
        #expect(client.signals() == [id])
        #expect(try client.core.nextEvent(id) == .changed("/a/b"))
        #expect(try client.core.nextEvent(id) == nil)
        for token in ["nobody", "1.99", "1", ".", "1.", ".1", "1.1.1", "-1.1"] {
            try client.receive(0, .watchEvent, "/a|\(token)|")
        }
        #expect(client.core.counters.unknownEvents == 8)
        try client.receive(0, .watchEvent, "/a|0.1|")
        #expect(client.core.counters.staleEvents == 1)
        for payload in ["", "|", "/a", "/a|", "/a//|\(token)|", "/ |\(token)|"] {
            try client.receive(0, .watchEvent, payload)
        }
        #expect(client.core.counters.malformedEvents == 6)
        client.removeWatch(id)
        #expect(try client.flush().map(\.operation) == [.unwatch])
        try client.receive(0, .watchEvent, "/a|\(token)|")
        #expect(client.core.counters.unknownEvents == 9)
        #expect(client.signals() == [])
    }

    @Test func aFullQueueEndsInOneOverflow() throws {
        var client = CoreHarness()
        let (id, token) = try client.establishedWatch("/", limit: 2)
        for index in 0..<1000 { try client.receive(0, .watchEvent, "/\(index)|\(token)|") }
        #expect(try client.core.nextEvent(id) == .changed("/0"))
        #expect(try client.core.nextEvent(id) == .changed("/1"))
        #expect(try client.core.nextEvent(id) == .overflow)
        #expect(try client.core.nextEvent(id) == nil)
        client.core.finish(StoreError(.disconnected, "gone"))
        #expect(throws: StoreError.self) { _ = try client.core.nextEvent(id) }
    }

    @Test func whatAWithdrawnRequestMadeIsTakenBack() throws {
        var client = CoreHarness()
        let (watch, registration) = try client.core.addWatch(
            "/a", limit: 4, until: .never)
        _ = client.core.submit(registration)
        let handles = [
            try client.begin(.transactionStart), try client.begin(.read("/a")), registration,
        ]
        let sent = try client.flush()
        for handle in handles { #expect(client.withdraw(handle)?.code == .cancelled) }
        client.removeWatch(watch)
        #expect(try client.flush() == [])
        for request in sent {
            try client.answer(
                request, request.operation == .transactionStart ? "7|" : "OK|")
        }
        let cleanUp = try client.flush()
        #expect(cleanUp.map(\.operation) == [.unwatch, .transactionEnd])
        #expect(try CoreHarness.token(cleanUp[0]) == CoreHarness.token(sent[0]))
        #expect(cleanUp[1].transaction == TransactionID(rawValue: 7))
        #expect(client.core.counters.lateReplies == 3)
        #expect(client.endings() == [:])
    }

    @Test func whatIsWithdrawnBeforeItWasSentIsNeverSent() throws {
        var client = CoreHarness()
        let handle = try client.begin(.write("/a", [1]))
        #expect(client.withdraw(handle)?.message.contains("before it was sent") == true)
        #expect(client.withdraw(handle) == nil)
        #expect(try client.flush() == [])
    }

    @Test func aSilentServerCannotMakeUsGrow() throws {
        var client = CoreHarness(canReconnect: false)
        for _ in 0..<ClientCore.requestLimit {
            let handle = try client.begin(.read("/a"))
            try client.flush()
            _ = client.withdraw(handle)
        }
        let error = #expect(throws: StoreError.self) { _ = try client.begin(.read("/a")) }
        #expect(error?.code == .limitReached)
    }

    @Test func theTransportsLimitIsKept() throws {
        var client = CoreHarness(traits: LinkTraits(payloadByteCountLimit: 4080))
        _ = try client.begin(.write("/a", [UInt8](repeating: 0, count: 4077)))
        let error = #expect(throws: StoreError.self) {
            _ = try client.begin(.write("/a", [UInt8](repeating: 0, count: 4078)))
        }
        #expect(error?.code == .tooLong)
    }

    @Test func theKernelsDeviceGetsOneRequestAtATimeAndNoReset() throws {
        var client = CoreHarness(
            traits: LinkTraits(payloadByteCountLimit: 4080, isKernelDevice: true))
        let reset = #expect(throws: StoreError.self) { _ = try client.begin(.resetWatches) }
        #expect(reset?.code == .refused)
        let handles = try (0..<3).map { try client.begin(.read(path("/\($0)"))) }
        #expect(try client.flush().count == 1)
        // An old kernel answers with an id of its own.
        try client.receive(12345, .read, "x")
        #expect(client.endings() == [handles[0]: "x"])
        #expect(try client.flush().count == 1)
    }

    @Test func anUnknownOperationIsAskedOnceAnEpoch() throws {
        var client = CoreHarness()
        func isRefused(_ client: inout CoreHarness) throws -> Bool {
            let handle: RequestHandle
            do { handle = try client.core.begin(.getFeature(nil), until: .never) } catch {
                return error.name == .notImplemented
            }
            if let request = try client.flush().first { try client.refuse(request, "ENOSYS") }
            #expect(client.endings() == [handle: "ENOSYS"])
            return false
        }
        #expect(try !isRefused(&client))
        #expect(try isRefused(&client))
        // Begun without a connection, it is asked of the next.
        client.disconnect()
        let handle = try client.begin(.getFeature(nil))
        client.connect()
        try client.answer(try #require(try client.flush().first), "3|")
        #expect(client.endings() == [handle: "3|"])
        // CONTROL is many commands.
        for _ in 0..<2 {
            _ = try client.begin(.control([[0x78]]))
            try client.refuse(try #require(try client.flush().first), "ENOSYS")
        }
    }

    @Test func argumentsThatCannotTravelAreNotSent() throws {
        var client = CoreHarness()
        let requests: [Request] = [
            .control([[0x61, 0]]), .watch("/a", token: [0]), .unwatch("/a", token: [1, 0]),
            .getQuota(nil, name: [0]), .setQuota(nil, name: [0], limit: 1),
        ]
        for request in requests {
            let error = #expect(throws: StoreError.self) { _ = try client.begin(request) }
            #expect(error?.name == .invalid)
        }
        #expect(try client.flush() == [])
    }

    @Test func deadlinesEndRequestsAtTheirTime() throws {
        var client = CoreHarness()
        let first = try client.begin(.read("/a"), within: .seconds(1))
        let second = try client.begin(.read("/b"), within: .seconds(2))
        try client.flush()
        let unsent = try client.begin(.write("/c", []), within: .seconds(3))
        #expect(client.core.nextLook == client.now + .seconds(1))
        for (elapsed, ended) in [(1, first), (2, second), (3, unsent)] {
            #expect(client.endings() == [:])
            client.now = Deadline(sinceEpoch: .seconds(elapsed))
            #expect(client.core.expire(client.now) == nil)
            #expect(client.endings() == [ended: "timed out"])
        }
        #expect(client.core.nextLook == .never)
        #expect(try client.flush() == [])
    }

    @Test func garbageNeverDoesMoreThanEndTheConnection() throws {
        var random = SplitMix(seed: 2)
        for _ in 0..<2000 {
            var client = CoreHarness()
            _ = try client.establishedWatch("/a", limit: 4)
            let handles = try (0..<4).map { _ in try client.begin(.transactionStart) }
            try client.flush()
            _ = client.withdraw(handles[1])
            for _ in 0..<8 {
                let payload = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                let packet = try Packet(
                    StoreOperation(rawValue: UInt32.random(in: 0...20, using: &random)),
                    requestID: handles[Int.random(in: 0..<4, using: &random)].requestID(
                        in: client.core.epoch), payload: payload)
                var bytes = packet.bytes
                if Bool.random(using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
                do { try client.core.receive(bytes[...]) } catch { break }
            }
        }
    }
}
