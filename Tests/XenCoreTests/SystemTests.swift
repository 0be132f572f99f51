import Synchronization
import Testing
import XenCore
import XenSystem

/// XenSystem: descriptors, waiting and threads.
@Suite struct SystemTests {
    @Test func pollEndsAtTheDeadline() throws {
        let wakeup = try Wakeup()
        let deadline = Deadline.after(.milliseconds(5))
        #expect(try poll([(wakeup.descriptor, .readable)], until: deadline).isEmpty)
        #expect(deadline.hasPassed)
    }

    @Test func wakeupIsReadableFromSignalToReset() throws {
        let wakeup = try Wakeup()
        for _ in 0..<3 { wakeup.signal() }
        for _ in 0..<2 {
            #expect(try poll([(wakeup.descriptor, .readable)], until: .now).isReadable(0))
        }
        wakeup.reset()
        #expect(try poll([(wakeup.descriptor, .readable)], until: .now).isEmpty)
        wakeup.reset()
        wakeup.signal()
        #expect(try poll([(wakeup.descriptor, .readable)], until: .now).isReadable(0))
    }

    @Test func pollTellsDescriptorsApart() throws {
        let first = try Wakeup()
        let second = try Wakeup()
        second.signal()
        let found = try poll(
            [(first.descriptor, .readable), (second.descriptor, [.readable, .writable])],
            until: .after(.seconds(10)))
        #expect(!found.isReadable(0))
        #expect(!found.isWritable(0))
        #expect(found.isReadable(1))
        #expect(found.isWritable(1))
    }

    @Test func closedDescriptorIsReadySoThatAReadSaysSo() throws {
        let found = try poll([(1 << 20, .readable)], until: .after(.seconds(10)))
        #expect(found.isReadable(0))
    }

    @Test func threadRunsOnceAndIsJoined() throws {
        let count = Counter()
        let thread = try PlatformThread { count.increment() }
        thread.join()
        #expect(count.value == 1)
    }

    @Test func descriptorIsClosedWithItsOwner() throws {
        let owned = try OwnedDescriptor(opening: "/dev/null", flags: 0)
        #expect(owned.rawValue >= 0)
        let failure = #expect(throws: SystemFailure.self) {
            _ = try OwnedDescriptor(opening: "/dev/null/nothing", flags: 0)
        }
        #expect(failure?.description == "open(/dev/null/nothing): ENOTDIR")
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func increment() { count.withLock { $0 += 1 } }
}
