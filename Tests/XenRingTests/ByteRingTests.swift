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
        var requests = ByteRing.Writer(.request, in: memory.view)
        var responses = ByteRing.Writer(.response, in: memory.view)
        #expect(try requests.write([1, 2, 3].span).notification == .required)
        #expect(try responses.write([4, 5].span).notification == .required)

        var expected = [UInt8](repeating: 0, count: Page.byteCount)
        expected.replaceSubrange(0..<3, with: [1, 2, 3])
        expected.replaceSubrange(1024..<1026, with: [4, 5])
        expected[Self.requestProducer] = 3
        expected[Self.responseProducer] = 2
        #expect(memory.bytes == expected)

        var reader = ByteRing.Reader(.request, in: memory.view)
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
        var writer = ByteRing.Writer(.response, in: memory.view)
        var reader = ByteRing.Reader(.response, in: memory.view)
        var random = SplitMix(seed: 11)
        var (sent, received): ([UInt8], [UInt8]) = ([], [])
        while received.count < 20_000 {
            let chunk = (0..<Int.random(in: 0...1500, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            let room = try writer.room()
            let written = try writer.write(chunk.span)
            #expect(written.byteCount == min(chunk.count, room))
            #expect((written.notification == .required) == (written.byteCount > 0))
            sent += chunk.prefix(written.byteCount)
            let limit = Int.random(in: 0...1100, using: &random)
            let available = try reader.available()
            let read = try reader.read(appendingTo: &received, upTo: limit)
            #expect(read.byteCount == min(limit, available))
        }
        _ = try reader.read(appendingTo: &received)
        #expect(received == sent)
    }

    @Test func eitherEndGoesOnWhereItStands() throws {
        let memory = emptyPage(at: 77)
        var writer = ByteRing.Writer(.request, in: memory.view)
        _ = try writer.write([1, 2, 3, 4].span)
        var (first, second): ([UInt8], [UInt8]) = ([], [])
        var reader = ByteRing.Reader(.request, in: memory.view)
        _ = try reader.read(appendingTo: &first, upTo: 2)
        var nextReader = ByteRing.Reader(.request, in: memory.view)
        _ = try nextReader.read(appendingTo: &second)
        #expect(first == [1, 2] && second == [3, 4])
    }

    static let edges: [UInt32] = [0, 1, 1023, 1024, 1025, 1 << 31, .max]

    @Test(arguments: edges, [0, UInt32.max - 100])
    func aWriterMayClaimAtMostTheWholeRing(_ claim: UInt32, from start: UInt32) throws {
        let memory = emptyPage(at: start)
        var reader = ByteRing.Reader(.request, in: memory.view)
        memory[Self.requestProducer] = start &+ claim
        var bytes: [UInt8] = []
        if claim <= 1024 {
            #expect(try reader.read(appendingTo: &bytes).byteCount == Int(claim))
        } else {
            let error = try #require(throws: RingError.self) { try reader.available() }
            #expect(error.peer == .producer && error.code == .impossibleIndex)
            memory[Self.requestProducer] = start
            #expect(throws: error) { try reader.read(appendingTo: &bytes) }
        }
    }

    @Test(arguments: edges, [0, UInt32.max - 100])
    func aReaderMayNotClaimWhatWasNeverWritten(_ claim: UInt32, from start: UInt32) throws {
        let memory = emptyPage(at: start)
        var writer = ByteRing.Writer(.response, in: memory.view)
        memory[Self.responseConsumer] = start &- claim
        if claim <= 1024 {
            #expect(try writer.room() == 1024 - Int(claim))
        } else {
            let error = try #require(throws: RingError.self) { try writer.room() }
            #expect(error.peer == .consumer && error.direction == .response)
            memory[Self.responseConsumer] = start
            #expect(throws: error) { try writer.write([1].span) }
        }
    }
}
