import Testing
import XenRing

/// The notification rule, for small rings and every order of events: the ring's own code, stopped at each
/// access to shared memory.
@Suite struct InterleavingTests {
    struct Size: CustomTestStringConvertible {
        let slotCount: UInt32
        let total: UInt32
        let start: UInt32
        let leastStates: Int
        var testDescription: String { "\(slotCount) slots, \(total) requests, from \(start)" }
    }

    static let sizes = [
        Size(slotCount: 1, total: 4, start: 0, leastStates: 5_000),
        Size(slotCount: 2, total: 3, start: 0, leastStates: 13_000),
        Size(slotCount: 2, total: 4, start: .max - 1, leastStates: 22_000),
        Size(slotCount: 4, total: 4, start: .max, leastStates: 90_000),
    ]

    @Test(arguments: sizes)
    func nobodySleepsWhileThereIsWork(_ size: Size) throws {
        let explorer = Explorer(slotCount: size.slotCount, total: size.total, at: size.start)
        let interleavings = try explorer.run()
        print(
            "\(size.testDescription): \(explorer.stateCount) states, \(interleavings) interleavings"
        )
        #expect(explorer.lostWakeUps == 0)
        #expect(explorer.stateCount >= size.leastStates)
        #expect(interleavings > 1e18)
    }

    @Test(arguments: Mutation.allCases, [RingDirection.request, .response])
    func aRuleThatIsTakenOutIsMissed(_ rule: Mutation, in direction: RingDirection) throws {
        let explorer = Explorer(slotCount: 2, total: 3, without: (rule, direction))
        _ = try explorer.run()
        #expect(explorer.lostWakeUps > 0)
    }
}
