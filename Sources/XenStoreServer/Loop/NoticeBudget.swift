import XenCore

/// How much is told of each guest: whatever one does, and however often, it does not fill the owner's log.
struct NoticeBudget {
    /// The most that is told of a guest in one period.
    static let limit = 10
    static let period = Duration.seconds(10)

    private struct Period {
        let end: Deadline
        var noticeCount = 0

        var leftOutCount: Int { max(noticeCount - limit, 0) }
    }

    /// The period of each guest of whom something was told.
    private var periods: [DomainID: Period] = [:]

    /// Counts a notice of a guest. Returns how many were left out before it, or nil when it is to be left out.
    mutating func admit(_ guest: DomainID, at now: Deadline) -> Int? {
        var period = periods[guest] ?? Period(end: now)
        var leftOutCount = 0
        if period.end <= now {
            leftOutCount = period.leftOutCount
            period = Period(end: now + Self.period)
        }
        period.noticeCount += 1
        periods[guest] = period
        return period.leftOutCount == 0 ? leftOutCount : nil
    }
}
