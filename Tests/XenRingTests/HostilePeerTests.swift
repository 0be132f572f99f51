import Testing
import XenCore
import XenRing

/// A peer may write anything into the page at any moment. Whatever it writes into an index is either
/// something that an honest peer could have written, or a typed error that stays.
@Suite struct HostilePeerTests {
    typealias Front = FrontRing<Wide<14>, Wide<2>>
    typealias Back = BackRing<Wide<14>, Wide<2>>

    /// Offsets of the indices in the page (struct <name>_sring of xen/io/ring.h).
    static let requestProducer = 0
    static let requestEvent = 4
    static let responseProducer = 8
    static let responseEvent = 12

    static func edges(_ limit: UInt32) -> [UInt32] {
        [0, 1, limit &- 1, limit, limit &+ 1, 1 << 31, .max]
    }

    @Test(arguments: edges(32), [0, UInt32.max - 10, 1 << 31])
    func requestProducer(_ claim: UInt32, from start: UInt32) throws {
        let memory = TestMemory()
        _ = Front(initializing: memory.view, at: RingIndex(start))
        var back = Back(attachingTo: memory.view, at: RingIndex(start))
        memory[Self.requestProducer] = start &+ claim
        if claim <= 32 {
            #expect(try back.drain { _ in } == Int(claim))
            memory[Self.requestProducer] = start &+ claim &+ 33
        }
        let (first, second) = (failure { try back.next() }, failure { try back.next() })
        let error = try #require(first)
        #expect(error.code == .impossibleIndex && error.direction == .request)
        #expect(error.message.contains("\(error.producer.rawValue)"))

        memory[Self.requestProducer] = start
        #expect(second == error && failure { try back.next() } == error, "broken, and stays so")
        #expect(failure { try back.drain { _ in } } == error)
        #expect(failure { try back.serve { _ in Wide(0) } } == error)
    }

    @Test(arguments: edges(5), [0, UInt32.max - 3, 1 << 31])
    func responseProducer(_ claim: UInt32, from start: UInt32) throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view, at: RingIndex(start))
        for number: UInt64 in 0..<5 { #expect(front.push(Wide(number)) == true) }
        #expect(front.publish() == .required)
        #expect(front.push(Wide(5)) == true)  // Staged only, so no answer to it can exist.
        memory[Self.responseProducer] = start &+ claim
        if claim <= 5 {
            #expect(try front.drain { _ in } == Int(claim))
            memory[Self.responseProducer] = start &+ 6
        }
        let error = try #require(failure { try front.next() })
        #expect(error.code == .impossibleIndex && error.direction == .response)
        memory[Self.responseProducer] = start
        #expect(failure { try front.next() } == error, "broken, and stays so")
        #expect(failure { try front.drain { _ in } } == error)
        #expect(failure { try front.discardResponses() } == error)
    }

    @Test func aProducerIndexThatGoesBackwardsIsAnError() throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        for number: UInt64 in 0..<3 { #expect(front.push(Wide(number)) == true) }
        #expect(front.publish() == .required)
        try back.drain { _ in }
        memory[Self.requestProducer] = 2
        #expect(failure { try back.next() }?.producer == RingIndex(2))
    }

    /// The front may not send a 33rd request before it has seen an answer, even if answers are staged.
    @Test func aPeerThatGoesOnForEverIsBounded() throws {
        let memory = TestMemory()
        _ = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        memory[Self.requestProducer] = 1
        var served: UInt32 = 0
        let error = failure {
            try back.serve { request in
                served += 1
                if served < 1000 { memory[Self.requestProducer] = served + 1 }
                return Wide(request.value)
            }
        }
        #expect(served == 32)
        #expect(error?.limit == 0)
    }

    /// The other direction's indices are ours: what the peer scribbles there changes nothing for us.
    @Test(arguments: edges(32))
    func ownIndices(_ scribble: UInt32) throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        #expect(front.push(Wide(7)) == true)
        memory[Self.requestProducer] = scribble
        _ = front.publish()
        #expect(memory[Self.requestProducer] == 1)
        #expect(front.inFlightCount == 1)
        #expect(try back.next()?.value == 7)
        back.push(Wide(8))
        memory[Self.responseProducer] = scribble
        _ = back.publish()
        #expect(memory[Self.responseProducer] == 1)
        #expect(try front.next()?.value == 8)
    }

    /// A wrong event index costs notifications, nothing else.
    @Test(arguments: edges(32))
    func eventIndices(_ scribble: UInt32) throws {
        let memory = TestMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        for number: UInt64 in 0..<100 {
            memory[Self.requestEvent] = scribble
            memory[Self.responseEvent] = scribble
            #expect(front.push(Wide(number)) == true)
            _ = front.publish()
            _ = try back.serve { Wide($0.value) }
            #expect(try front.next()?.value == number)
        }
    }

    @Test(arguments: edges(32))
    func takingOver(_ claim: UInt32) throws {
        let memory = TestMemory()
        _ = Front(initializing: memory.view)
        memory[Self.responseProducer] = 500
        memory[Self.requestProducer] = 500 &+ claim
        let error = failure { _ = try Back(takingOver: memory.view) }
        #expect((error == nil) == (claim <= 32))
    }

    private func failure<Success>(_ body: () throws -> Success) -> RingError? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? RingError
        }
    }
}
