import Testing

/// Every interleaving of an event thread, its peers and a waiter: nobody sleeps while there is work for him.
@Suite struct LoopExplorationTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let portCount: Int
        let messageCount: Int
        var spins = false
        var hasConsumer = false
        let leastStates: Int
        var testDescription: String {
            "\(portCount) ports, \(messageCount) messages"
                + (spins ? ", spinning" : "") + (hasConsumer ? ", a waiter" : "")
        }
    }

    static let cases = [
        Case(portCount: 1, messageCount: 3, leastStates: 3_000),
        Case(portCount: 2, messageCount: 1, leastStates: 3_000),
        Case(portCount: 1, messageCount: 2, spins: true, leastStates: 1_500),
        Case(portCount: 2, messageCount: 1, spins: true, leastStates: 8_000),
        Case(portCount: 1, messageCount: 2, hasConsumer: true, leastStates: 5_000),
    ]

    @Test(arguments: cases, [false, true])
    func nobodySleepsWhileThereIsWork(_ size: Case, ifEventsAreRemembered: Bool) {
        let found = explore(
            ModelWorld(
                portCount: size.portCount, messageCount: size.messageCount, spins: size.spins,
                hasConsumer: size.hasConsumer, remembers: ifEventsAreRemembered))
        print("\(size.testDescription): \(found.stateCount) states")
        #expect(found.lostWakeUps == 0)
        #expect(found.goodEnds > 0)
        #expect(found.stateCount >= size.leastStates)
    }

    @Test(arguments: LoopMutation.allCases) func aRuleThatIsTakenOutIsMissed(_ rule: LoopMutation) {
        let found = explore(
            ModelWorld(
                portCount: 1, messageCount: 2, spins: rule == .noArmingBeforeSleep,
                hasConsumer: rule == .countAfterLook, without: rule))
        #expect(found.lostWakeUps > 0)
    }

    private func explore(
        _ start: ModelWorld
    ) -> (stateCount: Int, goodEnds: Int, lostWakeUps: Int) {
        var seen: Set<ModelWorld> = [start]
        var open = [start]
        var (goodEnds, lostWakeUps) = (0, 0)
        while let world = open.popLast() {
            let successors = world.successors
            if successors.isEmpty {
                if world.isDone { goodEnds += 1 } else { lostWakeUps += 1 }
            }
            for successor in successors where seen.insert(successor).inserted {
                open.append(successor)
            }
        }
        return (seen.count, goodEnds, lostWakeUps)
    }
}
