import Testing
import XenCore
import XenRing

/// A page of indices and its data pages, both ends of the rings in them.
struct FlexStage: ~Copyable {
    let page = TestMemory()
    let data: TestMemory
    var front: ByteRingEnd
    var back: ByteRingEnd

    init(
        _ kind: FlexInterface.Kind = .pvCalls, order: Int = 1, at start: UInt32 = 0
    ) throws {
        data = TestMemory(byteCount: Page.byteCount << order)
        let references = (0..<1 << order).map { GrantReference(UInt32(8 + $0)) }
        let made = FlexInterface(
            initializing: page.view, as: kind, references: references, at: RingIndex(start))
        front = made.front(over: data.view)
        back = try FlexInterface(attachingTo: page.view, as: kind).back(over: data.view)
    }
}

@Suite struct FlexRingTests {
    @Test(arguments: FlexInterface.orders)
    func bytesGoBothWaysAroundTheEnd(order: Int) throws {
        var stage = try FlexStage(.ninePFS, order: order, at: .max - 1000)
        let capacity = 1 << (order + 11)
        let (question, answer) = (
            (0..<capacity).map { UInt8(truncatingIfNeeded: $0 &* 3) },
            (0..<capacity).map { UInt8(truncatingIfNeeded: $0 &* 5) }
        )
        for _ in 0..<2 {
            let asked = try stage.front.writer.write(question.span)
            let answered = try stage.back.writer.write(answer.span)
            #expect(asked.byteCount == capacity && answered.byteCount == capacity)
            #expect(asked.notification == .required && answered.notification == .required)
            var (asks, answers): ([UInt8], [UInt8]) = ([], [])
            #expect(try stage.back.reader.read(appendingTo: &asks).notification == .required)
            #expect(try stage.front.reader.read(appendingTo: &answers).notification == .required)
            #expect(asks == question && answers == answer)
        }
    }

    /// 9pfs and QEMU wait for enough, so each message brings one notification, however far the reader is.
    @Test func everyMessageIsNotifiedOnce() throws {
        var stage = try FlexStage(.ninePFS)
        for _ in 0..<3 {
            let (header, body): ([UInt8], [UInt8]) = ([1, 2, 3], [4, 5])
            _ = try stage.front.writer.stage(header.span)
            _ = try stage.front.writer.stage(body.span)
            #expect(try stage.front.writer.publish() == .required)
        }
        var bytes: [UInt8] = []
        #expect(try stage.back.reader.available(atLeast: 15) == 15)
        try stage.back.reader.take(appendingTo: &bytes, upTo: 3)
        try stage.back.reader.take(appendingTo: &bytes, upTo: 2)
        #expect(try stage.back.reader.commit() == .required)
    }

    /// Whatever was written before the end is read first, also what comes between two looks.
    @Test func everythingIsReadableAfterTheEnd() throws {
        var stage = try FlexStage()
        #expect(try stage.front.reader.ending() == nil)
        let message: [UInt8] = [1, 2, 3]
        _ = try stage.back.writer.stage(message.span)
        #expect(try stage.back.writer.end(with: -107) == .required)
        #expect(try stage.front.reader.ending() == nil, "there are bytes to read")
        var bytes: [UInt8] = []
        try stage.front.reader.take(appendingTo: &bytes)
        #expect(bytes == message)
        #expect(try stage.front.reader.ending() == -107)
        #expect(stage.front.writer.ending() == nil, "the other direction goes on")
        #expect(try stage.back.reader.end(with: -32) == .required)
        #expect(stage.front.writer.ending() == -32)
    }

    @Test func aRingWithoutErrorsNeverEnds() throws {
        var stage = try FlexStage(.ninePFS)
        stage.page[8] = 7
        stage.page[72] = 7
        #expect(try stage.front.reader.ending() == nil)
        #expect(stage.front.writer.ending() == nil)
    }

    // MARK: Hostile peers

    static let orders: [UInt32] = [0, 10, 11, 20, 31, 32, 1 << 31, .max]

    @Test(arguments: orders)
    func anOrderThatCannotBeIsRefused(_ order: UInt32) throws {
        let page = TestMemory()
        page.view.zero()
        page[128] = order
        let error = #expect(throws: FlexInterfaceError.self) {
            try FlexInterface(attachingTo: page.view, as: .ninePFS)
        }
        #expect(error?.code == .impossibleOrder)
        #expect(error?.message.contains("order \(order)") == true)
    }

    @Test func anOrderThatWasNotOfferedIsRefused() throws {
        let page = TestMemory()
        page.view.zero()
        for order: UInt32 in 1...9 {
            page[128] = order
            let interface = try? FlexInterface(
                attachingTo: page.view, as: .pvCalls, largestOrder: 4)
            #expect((interface != nil) == (order <= 4))
        }
    }

    /// Order and references are read once; what is written there later changes nothing.
    @Test func whatIsScribbledOverTheInterfaceLaterHasNoEffect() throws {
        var stage = try FlexStage(order: 2)
        let interface = try FlexInterface(attachingTo: stage.page.view, as: .pvCalls)
        for offset in stride(from: 128, to: 4096, by: 4) { stage.page[offset] = .max }
        #expect(interface.order == 2)
        #expect(interface.references.map(\.rawValue) == [8, 9, 10, 11])
        var end = interface.back(over: stage.data.view)
        #expect(try end.writer.room() == 8192)
        let message: [UInt8] = [1]
        _ = try stage.front.writer.write(message.span)
        #expect(try end.reader.available() == 1)
    }

    static func edges(_ capacity: UInt32) -> [UInt32] {
        [0, 1, capacity - 1, capacity, capacity + 1, 2 * capacity, 1 << 31, .max - 1, .max]
    }

    @Test(arguments: edges(4096), [0, UInt32.max - 100, 1 << 31])
    func aWriterMayClaimAtMostTheWholeRing(_ claim: UInt32, from start: UInt32) throws {
        for offset in [4, 68] {
            var stage = try FlexStage(at: start)
            stage.page[offset] = start &+ claim
            let count = result { () throws(RingError) in
                offset == 4
                    ? try stage.front.reader.available() : try stage.back.reader.available()
            }
            if claim <= 4096 {
                #expect(try count.get() == Int(claim))
                continue
            }
            let error = try #require(throws: RingError.self) { try count.get() }
            #expect(error.code == .impossibleIndex && error.peer == .producer)
            #expect(error.direction == (offset == 4 ? .response : .request))
            stage.page[offset] = start
            var bytes: [UInt8] = []
            #expect(throws: error) {
                offset == 4
                    ? try stage.front.reader.take(appendingTo: &bytes)
                    : try stage.back.reader.take(appendingTo: &bytes)
            }
            #expect(bytes.isEmpty, "an error, not zero bytes")
        }
    }

    @Test(arguments: edges(4096), [0, UInt32.max - 100, 1 << 31])
    func aReaderMayNotClaimWhatWasNeverWritten(_ claim: UInt32, from start: UInt32) throws {
        for offset in [0, 64] {
            var stage = try FlexStage(at: start)
            let message = [UInt8](repeating: 9, count: 100)
            if offset == 0 {
                _ = try stage.back.writer.write(message.span)
            } else {
                _ = try stage.front.writer.write(message.span)
            }
            stage.page[offset] = start &+ claim
            let room = result { () throws(RingError) in
                offset == 0
                    ? try stage.back.writer.room(atLeast: 4096)
                    : try stage.front.writer.room(atLeast: 4096)
            }
            if claim <= 100 {
                #expect(try room.get() == 3996 + Int(claim))
                continue
            }
            let error = try #require(throws: RingError.self) { try room.get() }
            #expect(error.peer == .consumer)
            #expect(error.direction == (offset == 0 ? .response : .request))
            stage.page[offset] = start
            #expect(throws: error) {
                offset == 0 ? try stage.back.writer.publish() : try stage.front.writer.publish()
            }
        }
    }

    /// What the peer scribbles over our own indices changes nothing for us.
    @Test(arguments: edges(4096))
    func ownIndices(_ scribble: UInt32) throws {
        var stage = try FlexStage()
        let message: [UInt8] = [1, 2, 3]
        var bytes: [UInt8] = []
        for round: UInt32 in 1...5 {
            stage.page[68] = scribble
            _ = try stage.front.writer.write(message.span)
            #expect(stage.page[68] == 3 * round)
            stage.page[64] = scribble
            _ = try stage.back.reader.read(appendingTo: &bytes)
            #expect(stage.page[64] == 3 * round)
        }
        #expect(bytes.count == 15)
    }

    private func result<Success>(
        _ body: () throws(RingError) -> Success
    ) -> Result<Success, RingError> {
        do { return .success(try body()) } catch { return .failure(error) }
    }
}
