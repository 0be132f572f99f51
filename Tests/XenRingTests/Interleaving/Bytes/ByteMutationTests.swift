import Testing
import XenRing

/// Each rule is taken out once, and the explorer finds what goes wrong then.
///
/// docs/notification-rule.md has the rules, with the test for each.
@Suite("A rule of byte rings that is taken out")
struct ByteMutationTests {
    @Test("bytes before the index, a release: old bytes are read")
    func releaseOfBytes() throws { try readsWrongBytes(.releaseOfBytes) }

    @Test("the index before bytes, an acquire: old bytes are read")
    func acquireOfBytes() throws { try readsWrongBytes(.acquireOfBytes) }

    @Test("loads before room is given back, a release: bytes are overwritten")
    func releaseOfRoom() throws { try readsWrongBytes(.releaseOfRoom) }

    @Test("the look for room before stores, an acquire: bytes are overwritten")
    func acquireOfRoom() throws { try readsWrongBytes(.acquireOfRoom) }

    @Test("the writer's fence: a wake-up is lost")
    func writersFence() throws { try losesWakeUps(.writersFence) }

    @Test("the reader's fence: a wake-up is lost")
    func readersFence() throws { try losesWakeUps(.readersFence) }

    @Test("the writer's final look: a wake-up is lost")
    func writersFinalLook() throws { try losesWakeUps(.writersFinalLook) }

    @Test("the reader's final look: a wake-up is lost")
    func readersFinalLook() throws { try losesWakeUps(.readersFinalLook) }

    @Test("the notification of bytes: a wake-up is lost")
    func notificationOfBytes() throws { try losesWakeUps(.notificationOfBytes) }

    @Test("the notification of room: a wake-up is lost")
    func notificationOfRoom() throws { try losesWakeUps(.notificationOfRoom) }

    @Test("the writer's look after unmasking: a wake-up is lost")
    func writersLookAfterUnmask() throws { try losesWakeUps(.writersLookAfterUnmask) }

    @Test("the reader's look after unmasking: a wake-up is lost")
    func readersLookAfterUnmask() throws { try losesWakeUps(.readersLookAfterUnmask) }

    @Test("the look for bytes after the writer's end: bytes are lost")
    func lookAfterEnd() throws {
        try #expect(ending(.byWriter, without: .lookAfterEnd).lostBytes > 0)
    }

    @Test("the look for bytes after the writer's crash: bytes are lost")
    func lookAfterCrash() throws {
        try #expect(ending(.writerCrashes, without: .lookAfterCrash).lostBytes > 0)
    }

    @Test("the notification of the end: a wake-up is lost")
    func notificationOfEnd() throws {
        try #expect(ending(.byWriter, without: .notificationOfEnd).lostWakeUps > 0)
    }

    private func readsWrongBytes(_ rule: ByteRule) throws {
        let explorer = ByteExplorer(.init(capacity: 2, total: 3, rule: rule))
        _ = try explorer.run()
        #expect(explorer.wrongBytes > 0)
    }

    private func losesWakeUps(_ rule: ByteRule) throws {
        let explorer = ByteExplorer(.init(capacity: 2, total: 3, rule: rule))
        _ = try explorer.run()
        #expect(explorer.lostWakeUps > 0)
        #expect(explorer.wrongBytes == 0)
    }

    private func ending(_ ending: Ending, without rule: EndingRule) throws -> ByteExplorer {
        let explorer = ByteExplorer(
            .init(capacity: 2, total: 3, ending: ending, endingRule: rule))
        _ = try explorer.run()
        #expect(explorer.wrongBytes == 0)
        return explorer
    }
}
