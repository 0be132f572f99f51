import Testing
import XenRing

/// A peer that scribbles between any two of our accesses, beside an end that takes such a page at
/// its word.
@Suite("A rule against hostile peers that is taken out")
struct ScribbleTests {
    static let values: [UInt32] = [0, 1, 2, 3, 4, 5, 1 << 31, .max]

    /// Own indices are private: the peer may overwrite them in the page at any time, and nothing
    /// changes.
    @Test("own indices are private", arguments: [RingDirection.request, .response])
    func privateIndices(in direction: RingDirection) throws {
        let honest = sent(direction, nil, rereads: false)
        #expect(honest.page[direction].producer == 6)
        var differences = 0
        for number in 1...honest.accessCount {
            for value in Self.values {
                let scribble = ScribbledPage.Scribble(accessNumber: number) {
                    $0[direction].producer = value
                }
                let real = sent(direction, scribble, rereads: false)
                #expect(real.trace == honest.trace, "\(value) before access \(number)")
                let mutant = sent(direction, scribble, rereads: true)
                if mutant.trace != honest.trace { differences += 1 }
            }
        }
        #expect(differences > 0, "an end that reads its own index back is led astray")
    }

    /// Six messages in batches of two.
    private func sent(
        _ direction: RingDirection, _ scribble: ScribbledPage.Scribble?, rereads: Bool
    ) -> ScribbledPage {
        let shared = ScribbledPage(slotCount: 8, scribble)
        let lane = ScribbledLane(direction: direction, shared: shared)
        var producer = RingProducer(at: RingIndex(0))
        for number: UInt32 in 1...6 {
            producer.stage(number, on: lane)
            guard number % 2 == 0 else { continue }
            _ = producer.publish(on: lane)
            if rereads { producer = RingProducer(at: lane.observeProducer()) }
        }
        return shared
    }

    /// XSA-155: a slot is read once, so what was checked is what is used.
    @Test("a slot is read once", arguments: [RingDirection.request, .response])
    func oneRead(in direction: RingDirection) throws {
        let honest = try taken(direction, nil, rereads: false)
        #expect(honest.pairs.map(\.checked) == [1, 2, 3, 4])
        var differences = 0
        for number in 1...honest.accessCount {
            for slot in 0..<4 {
                let scribble = ScribbledPage.Scribble(accessNumber: number) { $0.slots[slot] = 99 }
                let real = try taken(direction, scribble, rereads: false)
                #expect(real.pairs.allSatisfy { $0.checked == $0.used })
                // One look at the index, then one access a message, then the two looks of the final
                // check.
                #expect(real.accessCount == 1 + 4 + 3)
                let mutant = try taken(direction, scribble, rereads: true)
                if mutant.pairs.contains(where: { $0.checked != $0.used }) { differences += 1 }
            }
        }
        #expect(differences > 0, "an end that reads a slot twice uses what it has not checked")
    }

    /// Four messages, each looked at for two purposes.
    private func taken(
        _ direction: RingDirection, _ scribble: ScribbledPage.Scribble?, rereads: Bool
    ) throws -> (pairs: [(checked: UInt32, used: UInt32)], accessCount: Int) {
        let shared = ScribbledPage(slotCount: 4, scribble)
        let lane = ScribbledLane(direction: direction, shared: shared)
        shared.prepare { page in
            page.slots = [1, 2, 3, 4]
            page[direction].producer = 4
        }
        var consumer = RingConsumer(at: RingIndex(0))
        var pairs: [(checked: UInt32, used: UInt32)] = []
        while let message = try consumer.next(on: lane, limit: 4) {
            let index = RingIndex(consumer.consumed.rawValue &- 1)
            pairs.append((message, rereads ? lane.load(at: index) : message))
        }
        return (pairs, shared.accessCount)
    }

    /// A peer's index is believed within the ring's bounds only.
    @Test("the peer's index is bounded", arguments: [RingDirection.request, .response])
    func bounds(in direction: RingDirection) throws {
        for limit: UInt32 in 0...4 {
            for claim in Self.values {
                #expect(try count(claim, direction, limit: limit) == (claim <= limit ? claim : nil))
            }
        }
        // Without the bound, old messages are taken for new ones.
        #expect(try count(5, direction, limit: .max) == 5)
    }

    /// How many messages are taken; nil if the ring throws.
    private func count(
        _ claim: UInt32, _ direction: RingDirection, limit: UInt32
    ) throws -> UInt32? {
        let shared = ScribbledPage(slotCount: 4, nil)
        let lane = ScribbledLane(direction: direction, shared: shared)
        shared.prepare { $0[direction].producer = claim }
        var consumer = RingConsumer(at: RingIndex(0))
        var isLeft = true
        do {
            while isLeft {
                let bound = limit &- consumer.consumed.rawValue
                isLeft = try consumer.next(on: lane, limit: bound) != nil
            }
            return consumer.consumed.rawValue
        } catch {
            #expect(error.code == .impossibleIndex && error.direction == direction)
            let fault = consumer.fault
            #expect(fault == error, "broken, and stays so")
            return nil
        }
    }
}
