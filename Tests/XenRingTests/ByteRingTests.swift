import Testing
import XenCore
import XenRing

@Suite struct ByteRingTests {
    /// Offsets in the page (struct xenstore_domain_interface of xen/io/xs_wire.h).
    static let requestConsumer = 2048
    static let requestProducer = 2052
    static let responseConsumer = 2056
    static let responseProducer = 2060

    private func emptyPage(at start: UInt32 = 0) -> TestMemory {
        let memory = TestMemory()
        memory.view.zero()
        for offset in stride(from: 2048, through: 2060, by: 4) { memory[offset] = start }
        return memory
    }

    @Test func eachDirectionHasItsPlaceInThePage() throws {
        let memory = emptyPage()
        var requests = ByteRing.Writer(.xenstore(.request, in: memory.view))
        var responses = ByteRing.Writer(.xenstore(.response, in: memory.view))
        #expect(try requests.write([1, 2, 3].span).notification == .required)
        #expect(try responses.write([4, 5].span).notification == .required)

        var expected = [UInt8](repeating: 0, count: Page.byteCount)
        expected.replaceSubrange(0..<3, with: [1, 2, 3])
        expected.replaceSubrange(1024..<1026, with: [4, 5])
        expected[Self.requestProducer] = 3
        expected[Self.responseProducer] = 2
        #expect(memory.bytes == expected)

        var reader = ByteRing.Reader(.xenstore(.request, in: memory.view))
        var bytes: [UInt8] = [9]
        #expect(try reader.read(appendingTo: &bytes).byteCount == 3)
        #expect(bytes == [9, 1, 2, 3])
        expected[Self.requestConsumer] = 3
        #expect(memory.bytes == expected)
    }

    /// All sizes of write and read, around the end of the ring and across 2^32.
    @Test(arguments: [0, 1000, UInt32.max - 1500])
    func aStreamComesThroughWhole(from start: UInt32) throws {
        let memory = emptyPage(at: start)
        var writer = ByteRing.Writer(.xenstore(.response, in: memory.view))
        var reader = ByteRing.Reader(.xenstore(.response, in: memory.view))
        var random = SplitMix(seed: 11)
        var (sent, received): ([UInt8], [UInt8]) = ([], [])
        while received.count < 20_000 {
            let chunk = (0..<Int.random(in: 0...1500, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            let waiting = sent.count - received.count
            let written = try writer.write(chunk.span)
            #expect(written.byteCount == min(chunk.count, 1024 - waiting))
            let isAwaited = waiting == 0 && written.byteCount > 0
            #expect((written.notification == .required) == isAwaited)
            sent += chunk.prefix(written.byteCount)
            let limit = Int.random(in: 0...1100, using: &random)
            let (wasFull, unread) = (
                waiting + written.byteCount == 1024, waiting + written.byteCount
            )
            let read = try reader.read(appendingTo: &received, upTo: limit)
            #expect(read.byteCount == min(limit, unread))
            #expect((read.notification == .required) == (wasFull && read.byteCount > 0))
        }
        _ = try reader.read(appendingTo: &received)
        #expect(received == sent)
    }

    /// A header and a body: one index store and one notification at each end.
    @Test func aMessageOfManyPiecesIsPublishedAtOnce() throws {
        let memory = emptyPage()
        var writer = ByteRing.Writer(.xenstore(.request, in: memory.view))
        var reader = ByteRing.Reader(.xenstore(.request, in: memory.view))
        let (header, body) = ([UInt8](1...16), [UInt8](20...59))
        #expect(try writer.stage(header) == 16)
        #expect(try reader.available() == 0 && memory[Self.requestProducer] == 0)
        #expect(try writer.stage(body) == 40)
        #expect(try writer.publish() == .required)
        #expect(try writer.publish() == .notNeeded, "it was said once")

        #expect(try reader.available() == 56)
        var (first, second): ([UInt8], [UInt8]) = ([], [])
        #expect(try reader.take(appendingTo: &first, upTo: 16) == 16)
        #expect(memory[Self.requestConsumer] == 0)
        #expect(try reader.take(appendingTo: &second, upTo: 40) == 40)
        #expect(first == header && second == body)
        #expect(try reader.commit() == .notNeeded, "the writer never found the ring full")
        #expect(memory[Self.requestConsumer] == 56)
    }

    /// It is published by parts, and each sleeper is notified once a part.
    @Test func aMessageLargerThanTheRingGoesInParts() throws {
        let memory = emptyPage()
        var writer = ByteRing.Writer(.xenstore(.request, in: memory.view))
        var reader = ByteRing.Reader(.xenstore(.request, in: memory.view))
        let message = (0..<4112).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var (sent, received, bytesRung, roomRung): (Int, [UInt8], Int, Int) = (0, [], 0, 0)
        while received.count < message.count {
            let rest = message.span.extracting(droppingFirst: sent)
            sent += try writer.stage(rest)
            #expect(try reader.available() == min(1024, rest.count) || sent == message.count)
            if try writer.publish() == .required { bytesRung += 1 }
            while try reader.available() > 0 { try reader.take(appendingTo: &received) }
            if try reader.commit() == .required { roomRung += 1 }
        }
        #expect(received == message)
        #expect(bytesRung == 5 && roomRung == 4)
    }

    @Test func bytesGoStraightWhereTheyAreWanted() throws {
        let memory = emptyPage(at: 1020)
        var writer = ByteRing.Writer(.xenstore(.request, in: memory.view))
        var reader = ByteRing.Reader(.xenstore(.request, in: memory.view))
        _ = try writer.write([1, 2, 3, 4, 5, 6, 7].span)
        let bytes = try [UInt8](capacity: 6) { output throws(RingError) in
            output.append(0)
            let count = try reader.take(appendingTo: &output)
            #expect(count == 5)
        }
        #expect(bytes == [0, 1, 2, 3, 4, 5])
        #expect(try reader.available(atLeast: 3) == 2)
        #expect(memory[Self.requestConsumer] == 1025, "given back before the final check")
        #expect(try reader.commit() == .notNeeded)
    }

    /// A writer that waits for room for a whole message is told only what is known, after a final check.
    @Test func roomIsLookedForOnlyWhenItIsScarce() throws {
        let memory = emptyPage()
        var writer = ByteRing.Writer(.xenstore(.request, in: memory.view))
        #expect(try writer.room() == 1024)
        #expect(try writer.stage([UInt8](repeating: 1, count: 1000)) == 1000)
        #expect(try writer.room(atLeast: 24) == 24 && memory[Self.requestProducer] == 0)
        #expect(try writer.room(atLeast: 25) == 24 && memory[Self.requestProducer] == 1000)
        #expect(try writer.publish() == .required, "owed since the look for room")
        memory[Self.requestConsumer] = 10
        #expect(try writer.room(atLeast: 24) == 24, "enough was known")
        #expect(try writer.room(atLeast: 25) == 34)
    }

    /// A peer that waits for enough is notified of all that moved.
    @Test func aPeerThatWaitsForEnoughIsNotifiedEachTime() throws {
        let memory = emptyPage()
        let ring = ByteRing.xenstore(.request, in: memory.view, peerWaits: .forEnough)
        var writer = ByteRing.Writer(ring)
        var reader = ByteRing.Reader(ring)
        var bytes: [UInt8] = []
        for _ in 0..<3 {
            #expect(try writer.write([1, 2].span).notification == .required)
            #expect(try reader.read(appendingTo: &bytes, upTo: 1).notification == .required)
        }
        let none: [UInt8] = []
        let nothing = try writer.write(none.span)
        #expect(nothing.notification == .notNeeded)
        #expect(try reader.read(appendingTo: &bytes, upTo: 0).notification == .notNeeded)
    }

    @Test func eitherEndGoesOnWhereItStands() throws {
        let memory = emptyPage(at: 77)
        var writer = ByteRing.Writer(.xenstore(.request, in: memory.view))
        _ = try writer.write([1, 2, 3, 4].span)
        var (first, second): ([UInt8], [UInt8]) = ([], [])
        var reader = ByteRing.Reader(.xenstore(.request, in: memory.view))
        _ = try reader.read(appendingTo: &first, upTo: 2)
        var nextReader = ByteRing.Reader(.xenstore(.request, in: memory.view))
        _ = try nextReader.read(appendingTo: &second)
        #expect(first == [1, 2] && second == [3, 4])
    }

    static let edges: [UInt32] = [0, 1, 1023, 1024, 1025, 1 << 31, .max]

    @Test(arguments: edges, [0, UInt32.max - 100])
    func aWriterMayClaimAtMostTheWholeRing(_ claim: UInt32, from start: UInt32) throws {
        let memory = emptyPage(at: start)
        var reader = ByteRing.Reader(.xenstore(.request, in: memory.view))
        memory[Self.requestProducer] = start &+ claim
        var bytes: [UInt8] = []
        if claim <= 1024 {
            #expect(try reader.read(appendingTo: &bytes).byteCount == Int(claim))
        } else {
            let error = try #require(throws: RingError.self) { try reader.available() }
            #expect(error.peer == .producer && error.code == .impossibleIndex)
            memory[Self.requestProducer] = start
            #expect(throws: error) { try reader.read(appendingTo: &bytes) }
            #expect(throws: error) { try reader.available() }
            #expect(throws: error) { try reader.commit() }
        }
    }

    @Test(arguments: edges, [0, UInt32.max - 100])
    func aReaderMayNotClaimWhatWasNeverWritten(_ claim: UInt32, from start: UInt32) throws {
        let memory = emptyPage(at: start)
        var writer = ByteRing.Writer(.xenstore(.response, in: memory.view))
        memory[Self.responseConsumer] = start &- claim
        if claim <= 1024 {
            #expect(try writer.room() == 1024 - Int(claim))
        } else {
            let error = try #require(throws: RingError.self) { try writer.room() }
            #expect(error.peer == .consumer && error.direction == .response)
            memory[Self.responseConsumer] = start
            #expect(throws: error) { try writer.write([1].span) }
            #expect(throws: error) { try writer.stage([]) }
            #expect(throws: error) { try writer.publish() }
        }
    }

    /// Neither index ever goes back, not even to where it would be possible.
    @Test func anIndexThatGoesBackIsAnError() throws {
        let memory = emptyPage()
        var reader = ByteRing.Reader(.xenstore(.request, in: memory.view))
        memory[Self.requestProducer] = 10
        var bytes: [UInt8] = []
        #expect(try reader.take(appendingTo: &bytes, upTo: 5) == 5)
        memory[Self.requestProducer] = 9
        #expect(throws: RingError.self) { try reader.available(atLeast: 6) }

        var writer = ByteRing.Writer(.xenstore(.response, in: memory.view))
        _ = try writer.write([1, 2, 3, 4].span)
        memory[Self.responseConsumer] = 3
        #expect(try writer.room(atLeast: 1023) == 1023)
        memory[Self.responseConsumer] = 2
        #expect(throws: RingError.self) { try writer.room(atLeast: 1024) }
    }
}

extension ByteRing.Writer {
    /// `#expect` cannot take a span.
    fileprivate mutating func stage(_ bytes: [UInt8]) throws(RingError) -> Int {
        try stage(bytes.span)
    }
}
