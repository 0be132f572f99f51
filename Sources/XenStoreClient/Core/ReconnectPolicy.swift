/// How long a client waits before it tries to reach its server again.
///
/// Doubling from the shortest pause to the longest, of which a random half is left out, so that the clients of a
/// server that comes back do not all come at once.
public struct ReconnectPolicy: Hashable, Sendable {
    /// Before the first attempt.
    public var shortestPause: Duration
    /// From then on it grows no more.
    public var longestPause: Duration

    public init(
        shortestPause: Duration = .milliseconds(10), longestPause: Duration = .seconds(2)
    ) {
        self.shortestPause = max(.microseconds(1), shortestPause)
        self.longestPause = max(self.shortestPause, longestPause)
    }

    /// The pause before an attempt.
    ///
    /// - Parameters:
    ///   - attempt: 0 for the first one since the connection worked.
    ///   - random: any number; each bit should look random.
    public func pause(before attempt: Int, random: UInt64) -> Duration {
        var longest = shortestPause
        for _ in 0..<max(0, min(attempt, 63)) where longest < longestPause { longest *= 2 }
        longest = min(longest, longestPause)
        return longest / 2 + longest / 2 * (Double(random >> 11) * 0x1p-53)
    }
}
