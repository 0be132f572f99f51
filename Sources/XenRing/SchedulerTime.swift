import XenCore

/// A moment of the continuous clock, as a number: an `Instant` has no size that the compiler knows, and a value
/// that holds one is slow.
struct SchedulerTime: Comparable, Sendable {
    /// Since the clock began.
    private let attoseconds: Int128

    init(_ moment: Deadline) { attoseconds = moment.sinceEpoch.attoseconds }

    private init(_ attoseconds: Int128) { self.attoseconds = attoseconds }

    var deadline: Deadline { Deadline(sinceEpoch: Duration(attoseconds: attoseconds)) }

    static func + (time: Self, duration: Duration) -> Self {
        Self(time.attoseconds + duration.attoseconds)
    }

    static func < (left: Self, right: Self) -> Bool { left.attoseconds < right.attoseconds }
}
