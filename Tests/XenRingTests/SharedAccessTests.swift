import Testing
import WatchedMemory
import XenCore
import XenRing

/// What an end of a ring reads and writes in the shared page, access by access.
@Suite struct SharedAccessTests {
    typealias Front = FrontRing<Wide<14>, Wide<2>>
    typealias Back = BackRing<Wide<14>, Wide<2>>

    /// The words of `struct <name>_sring` (xen/io/ring.h), by the offset of each in bytes.
    enum Word {
        static let requestProducer = 0
        static let requestEvent = 4
        static let responseProducer = 8
        static let responseEvent = 12
        static let slots = 64
    }

    @Test("XSA-155: a message leaves the page once, whatever the peer does meanwhile")
    func copiesOnce() throws {
        let memory = try WatchedMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        for number: UInt64 in 0..<32 { #expect(front.push(Wide(number)) == true) }
        #expect(front.publish() == .required)

        try expectCopied(memory, expecting: 0) { try back.next()?.value }
        try back.drain { _ in }
        for number: UInt64 in 0..<32 { back.push(Wide(number + 100)) }
        #expect(back.publish() == .required)
        try expectCopied(memory, expecting: 100) { try front.next()?.value }
    }

    /// The peer destroys the slots as soon as the message was taken, and nobody looks at them again.
    private func expectCopied(
        _ memory: WatchedMemory, expecting value: UInt64, _ take: () throws -> UInt64?
    ) throws {
        var hasTaken = false
        var (readCount, lateCount) = (0, 0)
        let taken = try memory.watch {
            let taken = try take()
            hasTaken = true
            memory.peer.slice(offset: Word.slots, byteCount: 2048).zero()
            return taken
        } observe: { access in
            guard access.offset >= Word.slots else { return }
            if hasTaken { lateCount += 1 } else { readCount += 1 }
        }
        #expect(taken == value && readCount > 0 && lateCount == 0)
    }

    @Test func neitherEndReadsBackWhatItWrote() throws {
        let memory = try WatchedMemory()
        var front = Front(initializing: memory.view)
        var back = Back(attachingTo: memory.view)
        for round: UInt64 in 0..<40 {
            let byFront = try accesses(memory) {
                _ = front.push(Wide(round))
                _ = front.publish()
                _ = try front.next()
            }
            #expect(Set(byFront.read).isDisjoint(with: [Word.requestProducer, Word.responseEvent]))
            let byBack = try accesses(memory) {
                _ = try back.serve { Wide($0.value) }
                _ = try back.next()
            }
            #expect(Set(byBack.read).isDisjoint(with: [Word.responseProducer, Word.requestEvent]))
            #expect(
                Set(byBack.written).isDisjoint(with: [Word.requestProducer, Word.responseEvent]))
            #expect(
                Set(byFront.written).isDisjoint(with: [Word.responseProducer, Word.requestEvent]))
        }
    }

    private func accesses(
        _ memory: WatchedMemory, _ body: () throws -> Void
    ) throws -> (read: [Int], written: [Int]) {
        var (read, written): ([Int], [Int]) = ([], [])
        try memory.watch(body) { access in
            if access.isWrite { written.append(access.offset) } else { read.append(access.offset) }
        }
        return (read, written)
    }
}
