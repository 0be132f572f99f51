/// What a backend has done so far.
public struct BlockBackendStatistics: Hashable, Sendable {
    /// Requests answered, well or badly.
    public var requestCount = 0
    /// Requests answered with an error, for whatever reason.
    public var errorCount = 0
    /// Bytes read from and written to the storage.
    public var byteCount: UInt64 = 0
    /// Times that the frontend was notified.
    public var notificationCount = 0
    /// Times that requests were found although no event had come for long.
    public var unannouncedCount = 0

    public init() {}

    /// Both together.
    public static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.requestCount += right.requestCount
        sum.errorCount += right.errorCount
        sum.byteCount += right.byteCount
        sum.notificationCount += right.notificationCount
        sum.unannouncedCount += right.unannouncedCount
        return sum
    }
}
