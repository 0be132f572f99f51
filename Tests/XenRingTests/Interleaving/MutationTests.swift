import Testing
import XenRing

/// Each rule is taken out once, in either direction, and the explorer finds what goes wrong then.
///
/// docs/notification-rule.md has the rules, with the test for each.
@Suite("A rule that is taken out")
struct MutationTests {
    static let directions = [RingDirection.request, .response]

    @Test("the final look: a wake-up is lost", arguments: directions)
    func finalLook(in direction: RingDirection) throws {
        try losesWakeUps(.noFinalLook, direction)
    }

    @Test("the fence before the final look: a wake-up is lost", arguments: directions)
    func consumerFence(in direction: RingDirection) throws {
        try losesWakeUps(.noConsumerFence, direction)
    }

    @Test("the look at the event index: a wake-up is lost", arguments: directions)
    func eventLook(in direction: RingDirection) throws {
        try losesWakeUps(.noEventLook, direction)
    }

    @Test("the fence before the look at the event index: a wake-up is lost", arguments: directions)
    func producerFence(in direction: RingDirection) throws {
        try losesWakeUps(.noProducerFence, direction)
    }

    @Test("the notification: a wake-up is lost", arguments: directions)
    func notification(in direction: RingDirection) throws {
        try losesWakeUps(.noNotification, direction)
    }

    @Test("the look after unmasking: a wake-up is lost", arguments: directions)
    func lookAfterUnmask(in direction: RingDirection) throws {
        let rules = ModelRules(
            without: .noLookAfterUnmask, direction: direction, acknowledgement: .late)
        let explorer = Explorer(slotCount: 2, total: 3, rules)
        try explorer.run()
        #expect(explorer.lostWakeUps > 0)
    }

    @Test("the message before the index: an old message is read", arguments: directions)
    func storeBeforePublish(in direction: RingDirection) {
        readsWrongMessages(.publishBeforeStore, direction)
    }

    @Test("the producer's release: an old message is read", arguments: directions)
    func release(in direction: RingDirection) {
        readsWrongMessages(.noRelease, direction)
    }

    @Test("the consumer's acquire: an old message is read", arguments: directions)
    func acquire(in direction: RingDirection) {
        readsWrongMessages(.noAcquire, direction)
    }

    @Test("the last look after the other end has gone: messages stay unread", arguments: directions)
    func lastLook(in direction: RingDirection) throws {
        let explorer = Explorer(slotCount: 1, total: 2, ending(.noLastLook, direction))
        try explorer.run()
        #expect(explorer.unread > 0)
    }

    @Test("publishing before one goes: messages stay unread", arguments: directions)
    func publishBeforeLeaving(in direction: RingDirection) throws {
        let explorer = Explorer(slotCount: 1, total: 2, ending(.leavesBeforePublishing, direction))
        try explorer.run()
        #expect(explorer.unread > 0)
    }

    private func ending(_ mutation: Mutation, _ direction: RingDirection) -> ModelRules {
        ModelRules(
            without: mutation, direction: direction, endings: [.frontCloses, .backCloses])
    }

    /// Also where both ends spin before they sleep.
    private func losesWakeUps(_ mutation: Mutation, _ direction: RingDirection) throws {
        for looks in 0...1 {
            let rules = ModelRules(without: mutation, direction: direction, looks: looks)
            let explorer = Explorer(slotCount: 2, total: 3, rules)
            try explorer.run()
            #expect(explorer.lostWakeUps > 0, "\(looks) looks")
        }
    }

    private func readsWrongMessages(_ mutation: Mutation, _ direction: RingDirection) {
        let rules = ModelRules(without: mutation, direction: direction)
        #expect(throws: WrongMessage.self) {
            try Explorer(slotCount: 2, total: 3, rules).run()
        }
    }
}
