/// The moment at which a wait gives up. Every wait in this library takes one.
@frozen
public struct Deadline: Hashable, Comparable, Sendable {
    /// Since the continuous clock began. An `Instant` here would make every value that holds a deadline one whose
    /// size is known only at run time, which costs a hot path more than all else.
    @usableFromInline package let sinceEpoch: Duration

    /// On the continuous clock, which also runs while the machine is suspended.
    @inlinable
    public var instant: ContinuousClock.Instant { ContinuousClock().systemEpoch + sinceEpoch }

    @inlinable
    public init(at instant: ContinuousClock.Instant) {
        sinceEpoch = ContinuousClock().systemEpoch.duration(to: instant)
    }

    /// - Parameter time: since the continuous clock began.
    @inlinable
    package init(sinceEpoch time: Duration) { sinceEpoch = time }

    /// The moment `duration` from now.
    public static func after(_ duration: Duration) -> Deadline {
        Deadline(at: .now + duration)
    }

    /// Already passed: looks once and does not wait.
    public static var now: Deadline { Deadline(at: .now) }

    /// The time that is left, zero once the deadline has passed.
    public var remaining: Duration { max(.zero, ContinuousClock.Instant.now.duration(to: instant)) }

    /// The time that is left, rounded up to whole milliseconds, as `poll(2)` takes it.
    public var remainingMilliseconds: Int32 {
        let (seconds, attoseconds) = remaining.components
        guard seconds < 2_000_000 else { return 2_000_000_000 }
        let fraction = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return Int32(seconds * 1000 + fraction)
    }

    public var hasPassed: Bool { ContinuousClock.Instant.now >= instant }

    @inlinable
    public static func < (left: Self, right: Self) -> Bool {
        // As numbers: `Duration`'s own operators are calls into the standard library.
        left.sinceEpoch.attoseconds < right.sinceEpoch.attoseconds
    }

    @inlinable
    package static func + (deadline: Self, duration: Duration) -> Deadline {
        let time = deadline.sinceEpoch.attoseconds + duration.attoseconds
        return Deadline(sinceEpoch: Duration(attoseconds: time))
    }
}
