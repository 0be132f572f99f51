import Testing
import XenRing

/// The notification rule, for small rings and every order of events: the ring's own code, stopped
/// at each access to shared memory.
@Suite struct InterleavingTests {
    struct Size: CustomTestStringConvertible {
        let slotCount: UInt32
        let total: UInt32
        let start: UInt32
        var acknowledgement = Acknowledgement.early
        let leastStates: Int
        var testDescription: String {
            "\(slotCount) slots, \(total) requests, from \(start), \(acknowledgement)"
        }
    }

    static let sizes = [
        Size(slotCount: 1, total: 4, start: 0, leastStates: 5_000),
        Size(slotCount: 2, total: 3, start: 0, leastStates: 13_000),
        Size(slotCount: 2, total: 4, start: .max - 1, leastStates: 22_000),
        Size(slotCount: 4, total: 4, start: .max, leastStates: 90_000),
        Size(slotCount: 1, total: 4, start: 0, acknowledgement: .late, leastStates: 11_000),
        Size(slotCount: 2, total: 3, start: .max, acknowledgement: .late, leastStates: 23_000),
    ]

    @Test(arguments: sizes)
    func nobodySleepsWhileThereIsWork(_ size: Size) throws {
        let explorer = Explorer(
            slotCount: size.slotCount, total: size.total, at: size.start,
            ModelRules(acknowledgement: size.acknowledgement))
        let interleavings = try explorer.run()
        print(
            "\(size.testDescription): \(explorer.stateCount) states, \(interleavings) interleavings"
        )
        #expect(explorer.lostWakeUps == 0)
        #expect(explorer.stateCount >= size.leastStates)
        #expect(interleavings > 1e18)
    }

    @Test func norDoesAnEndThatSpunBefore() throws {
        let explorer = Explorer(slotCount: 2, total: 3, ModelRules(looks: 1))
        _ = try explorer.run()
        #expect(explorer.lostWakeUps == 0)
        #expect(explorer.stateCount > 13_000)
    }

    /// Whoever closes or crashes, and whenever, one end or both: what was received is a prefix of
    /// what was sent, all that was published can still be read, and the other end learns of it and
    /// goes, too.
    @Test(arguments: Acknowledgement.allCases)
    func everythingPublishedIsReadAfterTheEnd(_ acknowledgement: Acknowledgement) throws {
        let endings: Endings = [.frontCloses, .backCloses, .frontCrashes, .backCrashes]
        let explorer = Explorer(
            slotCount: 2, total: 2, at: .max,
            ModelRules(acknowledgement: acknowledgement, endings: endings))
        let interleavings = try explorer.run()
        print(
            "\(acknowledgement): \(explorer.stateCount) states, \(explorer.endCount) ends, "
                + "\(interleavings) interleavings")
        #expect(explorer.lostWakeUps == 0)
        #expect(explorer.unread == 0)
        #expect(explorer.departureCount == explorer.endCount && explorer.endCount > 6000)
        #expect(explorer.stateCount > 79_000)
    }
}
