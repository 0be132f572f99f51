import Testing
import XenCore

@Suite struct DeadlineTests {
    @Test func nowHasPassedAndLeavesNothing() {
        let deadline = Deadline.now
        #expect(deadline.hasPassed)
        #expect(deadline.remaining == .zero)
        #expect(deadline.remainingMilliseconds == 0)
    }

    @Test func millisecondsAreRoundedUp() {
        let deadline = Deadline.after(.microseconds(60_000_000 - 1))
        #expect(deadline.remainingMilliseconds <= 60_000)
        #expect(deadline.remainingMilliseconds > 0)
        // The last fraction of a millisecond must not become a busy loop of zeros.
        #expect(Deadline.after(.nanoseconds(900_000)).remainingMilliseconds <= 1)
    }

    @Test func farDeadlinesFitPoll() {
        let deadline = Deadline.after(.seconds(1_000_000_000))
        #expect(deadline.remainingMilliseconds == 2_000_000_000)
        #expect(!deadline.hasPassed)
        #expect(Deadline.now < deadline)
    }
}
