import XenCore

/// What a driver does next, as the shipped ones have it: first all that it has begun, then what has failed and
/// the wish to close, and then it looks at the store.
struct DriverAgenda {
    enum Item {
        case begin, act, failed, close, closeExpired, look, nothing
    }

    private static let retryPause = Duration.milliseconds(200)
    private static let closeTimeout = Duration.seconds(5)

    let reports = DriverReports()
    private let session: StoreSession
    private var hasBegun = false
    /// A failure's pause keeps observations back, not actions.
    private var notBefore: ContinuousClock.Instant
    private var closeDeadline: ContinuousClock.Instant?

    init(_ session: StoreSession, now: ContinuousClock.Instant) {
        self.session = session
        notBefore = now
    }

    /// Whether there is something to do before its time.
    func isRung(at now: ContinuousClock.Instant, hasActions: Bool, wantsClose: Bool) -> Bool {
        hasActions || hasBegun && session.hasEvent && now >= notBefore || reports.hasFailure
            || wantsClose && closeDeadline == nil
    }

    mutating func next(
        at now: ContinuousClock.Instant, hasActions: Bool, epoch: Epoch, wantsClose: Bool
    ) -> Item {
        if !hasBegun {
            hasBegun = true
            return .begin
        }
        if hasActions { return .act }
        if reports.takeFailure(of: epoch) {
            notBefore = now + Self.retryPause
            session.hasEvent = true
            return .failed
        }
        if wantsClose, closeDeadline == nil {
            closeDeadline = now + Self.closeTimeout
            return .close
        }
        if let deadline = closeDeadline, now >= deadline {
            closeDeadline = now + .seconds(3600)
            return .closeExpired
        }
        guard session.hasEvent, now >= notBefore else { return .nothing }
        session.hasEvent = false
        return .look
    }

    /// When to look again.
    func wake(after now: ContinuousClock.Instant, hasActions: Bool) -> ContinuousClock.Instant {
        if session.hasEvent, now < notBefore, !hasActions { return notBefore }
        return closeDeadline ?? now + .seconds(3600)
    }
}
