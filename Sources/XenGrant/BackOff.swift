import XenCore
import XenSystem

/// How long to wait between attempts at what has to be tried again: longer each time, up to a bound, and never
/// past the deadline.
///
/// A value without a clock in it: who waits is the caller.
package struct BackOff {
    package static let shortest = Duration.milliseconds(1)
    package static let longest = Duration.milliseconds(64)

    private var nextDelay = shortest

    package init() {}

    /// - Parameter remaining: what is left until the deadline.
    /// - Returns: how long to wait now, nil when there is no time for another attempt.
    package mutating func delay(remaining: Duration) -> Duration? {
        guard remaining > .zero else { return nil }
        defer { nextDelay = min(nextDelay * 2, Self.longest) }
        return min(nextDelay, remaining)
    }

    /// Waits on this thread.
    ///
    /// - Returns: whether to try again.
    mutating func wait(until deadline: Deadline) -> Bool {
        guard let delay = delay(remaining: deadline.remaining) else { return false }
        do throws(SystemFailure) {
            try pause(delay)
            return true
        } catch {
            return false
        }
    }
}
