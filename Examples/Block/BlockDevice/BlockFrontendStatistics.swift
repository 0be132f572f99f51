public import XenCore

/// What a frontend has done so far.
public struct BlockFrontendStatistics: Hashable, Sendable {
    /// The newest epoch that a backend has served.
    public var epoch = Epoch.none
    /// Epochs that a backend has served.
    public var epochCount = 0
    /// Requests sent, those that were issued again included.
    public var requestCount = 0
    /// Requests issued again because an epoch ended before they were answered.
    public var reissuedCount = 0
    /// Times that the backend was notified.
    public var notificationCount = 0
    /// Answers of ended epochs, dropped.
    public var staleCount = 0
}
