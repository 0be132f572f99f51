import RemoteParties
import Synchronization
import Testing
import XenCore
import XenGrant
import XenMock
import XenSystem

/// The link under remote parties: messages over byte rings in granted pages.
@Suite struct LinkTests {
    /// Messages of many sizes, most of them larger than the room that the ring has left.
    static let sizes = (0..<120).map { $0 * $0 * 5 }

    @Test func messagesOfAnySizeArriveWholeAndInOrderBothWays() throws {
        let stage = MockedRemote(here: .dom0, there: DomainID(7))
        let (front, back) = try stage.link()
        let ends = [front, back].map { ($0, Inbox()) }
        for (link, inbox) in ends {
            try link.start {
                inbox.add($0)
            } ended: {
                inbox.end($0)
            }
        }
        let messages = Self.sizes.map { size in (0..<size).map { UInt8(truncatingIfNeeded: $0) } }
        let sender = try PlatformThread { for message in messages { try? front.send(message) } }
        for message in messages { try back.send(message) }
        sender.join()
        for (_, inbox) in ends {
            inbox.wait(for: messages.count)
            #expect(inbox.messages == messages)
        }
        try back.close(until: .after(.seconds(30)))
        try front.close(until: .after(.seconds(30)))
        try stage.hypervisor.assertCleanedUp()
    }

    @Test(arguments: [true, false]) func aPeerThatIsKilledIsMissedAtOnce(isFront: Bool) throws {
        let stage = MockedRemote(here: .dom0, there: DomainID(7))
        let (front, back) = try stage.link()
        let inbox = Inbox()
        try (isFront ? back : front).start {
            inbox.add($0)
        } ended: {
            inbox.end($0)
        }
        try (isFront ? front : back).send([1, 2, 3])
        inbox.wait(for: 1)
        stage.killLinkProcess(in: isFront ? DomainID(7) : .dom0)
        inbox.waitForEnd()
        // What had come before is not lost.
        #expect(inbox.messages == [[1, 2, 3]])
        #expect(inbox.ending == "the other end is gone")
    }

    /// Every truncation of a message is an error, never a trap.
    @Test func aShortMessageIsAnError() throws {
        let error = GrantError(.limitReached, errorNumber: .noSpace, "no room")
        let values = wire(UInt32(7), [GrantReference(1), GrantReference(2)], "text", error)
        for count in values.indices {
            #expect(throws: WireError.self) {
                var reader = WireReader(values[..<count])
                _ = try reader.next(
                    UInt32.self, [GrantReference].self, String.self, GrantError.self)
            }
        }
        var reader = WireReader(values[...])
        let (number, references, text, failure) = try reader.next(
            UInt32.self, [GrantReference].self, String.self, GrantError.self)
        #expect(number == 7)
        #expect(references == [GrantReference(1), GrantReference(2)])
        #expect(text == "text")
        #expect(failure == error)
        #expect(reader.remaining().isEmpty)
    }
}

/// What came over a link.
private final class Inbox: Sendable {
    private let state = Mutex<(messages: [[UInt8]], ending: String?)>(([], nil))
    private let signal = ThreadSignal()

    var messages: [[UInt8]] { state.withLock(\.messages) }
    var ending: String? { state.withLock(\.ending) }

    func add(_ message: [UInt8]) {
        state.withLock { $0.messages.append(message) }
        signal.signal()
    }

    func end(_ reason: String) {
        state.withLock { $0.ending = reason }
        signal.signal()
    }

    func wait(for count: Int) {
        let deadline = Deadline.after(.seconds(60))
        while messages.count < count, ending == nil, !deadline.hasPassed {
            signal.wait(until: deadline)
        }
    }

    func waitForEnd() {
        let deadline = Deadline.after(.seconds(60))
        while ending == nil, !deadline.hasPassed { signal.wait(until: deadline) }
    }
}
