import Testing
import XenCore
import XenMock
import XenStoreClient
import XenStoreServer
import XenStoreWire

/// Guests' rings against the server's thread, byte by byte.
@Suite(.timeLimit(.minutes(1))) struct GuestRingTests {
    /// In front of a small request: indices that wrap at once, and that wrap in the ring.
    @Test(arguments: [0, 1000, UInt32.max - 30, UInt32.max])
    func requestsAreAnswered(indicesFrom start: UInt32) throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest(indicesFrom: start)
        for id in 1...200 as ClosedRange<UInt32> {
            try guest.send(.getDomainPath, "3\0", id: id)
            let reply = try guest.nextPacket()
            #expect(reply.requestID == id)
            #expect(reply.payload == Array("/local/domain/3\0".utf8))
        }
        try stage.end(guest)
    }

    @Test func whatTheServerOffersIsThereAtOnce() throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest()
        #expect(guest.page.features == [.reconnection, .error, .watchDepth, .anyDomain])
        #expect(guest.page.fault == .none)
        try stage.end(guest)
    }

    @Test func aLargeValueCrossesTheRingInParts() async throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest()
        let toolstack = try stage.server.client(0)
        try await toolstack.write("/large", [UInt8](repeating: 7, count: 4000))
        try await toolstack.setPermissions("/large", [.init(.read, for: .dom0)])
        try guest.send(.read, "/large\0")
        #expect(try guest.nextPacket().payload == [UInt8](repeating: 7, count: 4000))
        try stage.end(guest)
    }

    @Test func watchesFire() async throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest()
        let toolstack = try stage.server.client(0)
        try await toolstack.write("/a", "1")
        try await toolstack.setPermissions("/a", [.init(.read, for: .dom0)])
        try guest.send(.watch, "/a\0t\0")
        #expect(try guest.nextPacket().operation == .watch)
        #expect(try guest.nextPacket().payload == Array("/a\0t\0".utf8))
        try await toolstack.write("/a", "2")
        #expect(try guest.nextPacket().payload == Array("/a\0t\0".utf8))
        try stage.end(guest)
    }

    @Test func singleBytesAreAssembled() throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest()
        for byte in try Packet(.getDomainPath, requestID: 5, payload: Array("9\0".utf8)).bytes {
            try guest.write([byte])
        }
        #expect(try guest.nextPacket().payload == Array("/local/domain/9\0".utf8))
        try stage.end(guest)
    }

    @Test func aGuestThatNeverNotifiesIsServed() throws {
        let stage = try RingStage(checkPeriod: .milliseconds(10))
        let guest = try stage.attachedGuest()
        for id in 1...20 as ClosedRange<UInt32> {
            let request = try Packet(.getDomainPath, requestID: id, payload: Array("9\0".utf8))
            try guest.write(request.bytes, isLazy: true)
            #expect(try guest.nextPacket().requestID == id)
        }
        #expect(stage.notices.hears { if case .lazyGuest = $0 { true } else { false } })
        try stage.end(guest)
    }

    @Test func whatWasWrittenBeforeTheIntroductionIsServed() throws {
        let stage = try RingStage()
        let guest = try stage.guest()
        let bytes = try Packet(.getDomainPath, requestID: 5, payload: Array("9\0".utf8)).bytes
        try guest.write(bytes, isLazy: true)
        try stage.server.introduce(guest.domain, port: guest.port)
        #expect(try guest.nextPacket().requestID == 5)
        try stage.end(guest)
    }

    @Test(arguments: [2052, 2056]) func anImpossibleIndexDisablesTheRing(_ offset: Int) throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest()
        let other = try stage.attachedGuest(4)
        try guest.send(.watch, "@x\0t\0")
        _ = try guest.nextPacket()
        _ = try guest.nextPacket()
        guest.page.memory.store([0, 0, 0, 0x70], at: offset)
        // The consumer's index is looked at when a reply is written.
        if offset == 2056 { _ = try? guest.send(.getDomainPath, "3\0") }
        try guest.notify()
        try guest.wait { guest.page.fault == .index }
        #expect(stage.notices.hears { "\($0)".contains("ring of domain 3") })
        try other.send(.getDomainPath, "3\0")
        _ = try other.nextPacket()
        #expect(stage.server.connections.map(\.domain) == [other.domain])
        // And is served again once the guest has reconnected.
        try guest.reconnect()
        #expect(guest.page.fault == .none)
        try guest.send(.getDomainPath, "3\0", id: 77)
        #expect(try guest.nextPacket().requestID == 77)
        try stage.end(guest, other)
    }

    @Test(arguments: [4097, UInt32.max]) func anImpossibleLengthDisablesTheRing(
        _ byteCount: UInt32
    ) throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest()
        try guest.write(
            PacketHeader(
                operation: .read, requestID: 1, transaction: .none, payloadByteCount: byteCount
            ).bytes)
        try guest.wait { guest.page.fault == .protocolViolation }
        try guest.reconnect()
        try guest.send(.getDomainPath, "3\0", id: 77)
        #expect(try guest.nextPacket().requestID == 77)
        try stage.end(guest)
    }

    @Test func aReconnectionInMidPacketLeavesNothingBehind() async throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest(indicesFrom: .max - 20)
        let toolstack = try stage.server.client(0)
        try await toolstack.write("/a", "1")
        try await toolstack.setPermissions("/a", [.init(.read, for: .dom0)])
        try guest.send(.watch, "/a\0old\0", id: 2)
        try guest.send(.transactionStart, "\0", id: 3)
        // Replies wait unread, and a packet has arrived by half.
        try guest.write([2, 0, 0, 0, 9, 0, 0])
        while stage.server.connections.first(where: { $0.isRing })?.transactionCount != 1 {
            await Task.yield()
        }
        try guest.reconnect()
        #expect(
            stage.server.connections.filter(\.isRing).map { $0.watchCount + $0.transactionCount }
                == [0])
        try await toolstack.write("/a", "2")
        try guest.send(.read, "/a\0", id: 9)
        let reply = try guest.nextPacket()
        #expect(reply.requestID == 9)
        #expect(reply.payload == Array("2".utf8))
        #expect(stage.notices.hears { $0 == .ringReconnected(guest.domain) })
        try stage.end(guest)
    }

    /// As a domain that Xen starts itself may have it.
    @Test func aReconnectionAskedForBeforeTheIntroductionIsAnswered() throws {
        let stage = try RingStage()
        let guest = try stage.guest(indicesFrom: 99)
        guest.page.connection = .reconnecting
        try stage.server.introduce(guest.domain, port: guest.port)
        try guest.reconnect()
        try guest.send(.getDomainPath, "3\0")
        _ = try guest.nextPacket()
        try stage.end(guest)
    }

    @Test func introduceAndReleaseAttachAndDetach() async throws {
        let stage = try RingStage()
        let guest = try stage.guest()
        let toolstack = try stage.server.connect(as: .dom0)
        let port = guest.port.rawValue
        #expect(try answer(toolstack, .introduce, "3\01\0\(port)\0") == "OK\0")
        try guest.send(.getDomainPath, "3\0")
        _ = try guest.nextPacket()
        // Requests that wait do not keep the ring.
        try guest.write([1, 0, 0])
        #expect(try answer(toolstack, .release, "3\0") == "OK\0")
        #expect(stage.server.connections.map(\.isRing) == [false])
        // Refused while the server still maps the page.
        try guest.close()
        _ = stage.hypervisor.domain(DomainID(5))
        #expect(try answer(toolstack, .introduce, "5\01\0\(port)\0") == "EINVAL\0")
        #expect(try answer(toolstack, .introduce, "6\01\0\(port)\0") == "ENOENT\0")
        try stage.end()
    }

    /// It has no connection then, and its page and port are let go of all the same.
    @Test func aBrokenRingIsLetGoOfAtRelease() throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest()
        guest.page.memory.store([0, 0, 0, 0x70], at: 2052)
        try guest.notify()
        try guest.wait { guest.page.fault == .index }
        let toolstack = try stage.server.connect(as: .dom0)
        #expect(try answer(toolstack, .release, "3\0") == "OK\0")
        // Refused while the server still maps the page.
        try guest.close()
        try stage.end()
    }

    @Test func aSecondIntroductionBeginsAnew() throws {
        let stage = try RingStage()
        let guest = try stage.guest()
        let toolstack = try stage.server.connect(as: .dom0)
        for _ in 0..<2 {
            #expect(
                try answer(toolstack, .introduce, "3\01\0\(guest.port.rawValue)\0") == "OK\0")
        }
        let rings = stage.server.connections.filter(\.isRing)
        #expect(rings.count == 1)
        try stage.end(guest)
    }

    @Test func aDomainThatDiesHarmsNobody() throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest()
        let other = try stage.attachedGuest(4)
        try guest.send(.watch, "@introduceDomain\0t\0")
        try guest.write([1, 2, 3])
        stage.hypervisor.destroy(guest.mock)
        try other.send(.getDomainPath, "3\0")
        _ = try other.nextPacket()
        try stage.server.release(guest.domain)
        try other.send(.getDomainPath, "3\0")
        _ = try other.nextPacket()
        stage.server.stop()
        try other.close()
        try stage.hypervisor.assertCleanedUp()
    }

    /// For Linux, which cannot reconnect, the end of its ring would be that of its store.
    @Test func aGuestThatNeverReadsIsHeldBackUntilItReads() throws {
        var quota = StoreQuota()
        quota.outstanding = 5
        let stage = try RingStage(quota: quota, stallTimeout: .zero)
        let guest = try stage.attachedGuest()
        let other = try stage.attachedGuest(4)
        try stage.makeLarge()
        for id in 1...20 as ClosedRange<UInt32> { try guest.send(.read, "/large\0", id: id) }
        stage.waitForRing { $0.isHeldBack || $0.outstandingCount > 5 }
        #expect(stage.ring?.outstandingCount == 5)
        for _ in 0..<10 {
            try other.send(.getDomainPath, "3\0")
            _ = try other.nextPacket()
        }
        for id in 1...20 as ClosedRange<UInt32> {
            let reply = try guest.nextPacket()
            #expect(reply.requestID == id && reply.payload.count == 4000)
        }
        #expect(guest.page.fault == .none)
        try stage.end(guest, other)
    }

    /// What XSA-326 asks for, from when the limit is set.
    @Test func outstandingRepliesAreBounded() throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest()
        let toolstack = try stage.server.connect(as: .dom0)
        try stage.makeLarge()
        #expect(try answer(toolstack, .setQuota, "3\0outstanding\02\0") == "OK\0")
        for id in 1...10 as ClosedRange<UInt32> { try guest.send(.read, "/large\0", id: id) }
        stage.waitForRing { $0.isHeldBack || $0.outstandingCount > 2 }
        #expect(stage.ring?.outstandingCount == 2)
        // More room is made use of at once.
        #expect(try answer(toolstack, .setQuota, "3\0outstanding\04\0") == "OK\0")
        stage.waitForRing { $0.outstandingCount == 4 }
        #expect(try answer(toolstack, .control, "quota\0set\0outstanding\05\0") == "OK\0")
        #expect(stage.ring?.outstandingCount == 4)
        for id in 1...10 as ClosedRange<UInt32> {
            #expect(try guest.nextPacket().requestID == id)
        }
        try stage.end(guest)
    }

    /// A reader that never catches up has taken some all the same.
    @Test func repliesThatWereTakenAreNotOutstanding() throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest()
        try stage.makeLarge()
        for id in 1...10 as ClosedRange<UInt32> { try guest.send(.read, "/large\0", id: id) }
        stage.waitForRing { $0.outstandingCount == 10 }
        for _ in 0..<3 { _ = try guest.nextPacket() }
        stage.waitForRing { $0.outstandingCount <= 7 }
        try stage.end(guest)
    }

    /// Else whoever has a slow guest told of much would fill what it may have waiting.
    @Test func anEventThatStillWaitsIsNotQueuedAgain() throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest()
        try stage.makeLarge()
        let toolstack = try BlockingStoreClient(over: try stage.server.connect(as: .dom0))
        try guest.send(.watch, "/large\0t\0")
        _ = try guest.nextPacket()
        _ = try guest.nextPacket()
        try guest.send(.read, "/large\0")
        stage.waitForRing { $0.outstandingCount == 1 }
        try toolstack.setPermissions("/large", [.init(.read, for: .dom0)])
        let before = try #require(stage.ring).queuedByteCount
        #expect(try guest.take(upTo: 100).count == 100)
        stage.waitForRing { $0.queuedByteCount < before }
        try toolstack.setPermissions("/large", [.init(.read, for: .dom0)])
        #expect(stage.ring?.queuedByteCount == before - 100)
        try stage.end(guest)
    }

    /// However often a guest does something that is worth a line.
    @Test func aGuestDoesNotFillTheLog() throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest()
        let start = Deadline.now
        for _ in 0..<100 { try guest.reconnect() }
        let seconds = (Deadline.now.sinceEpoch - start.sinceEpoch).components.seconds
        let told = stage.notices.all.count { $0 == .ringReconnected(guest.domain) }
        #expect(told >= 1 && told <= 10 * (Int(seconds) / 10 + 2))
        try stage.end(guest)
    }

    private func answer(
        _ transport: some ByteTransport, _ operation: StoreOperation, _ payload: String
    ) throws -> String {
        let packet = try Packet(operation, requestID: 1, payload: Array(payload.utf8))
        _ = try transport.write(packet.bytes, from: 0)
        var parser = PacketParser()
        var buffer = [UInt8](repeating: 0, count: 4096)
        let deadline = Deadline.after(.seconds(20))
        while !deadline.hasPassed {
            if let reply = try parser.next() {
                return String(decoding: reply.payload, as: UTF8.self)
            }
            try transport.wait(forWriting: false, until: deadline)
            if let count = try transport.read(into: &buffer) { parser.append(buffer[..<count]) }
        }
        throw StoreError(.timedOut, "no answer")
    }
}
