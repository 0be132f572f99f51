import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenRing
import XenTesting

/// One life of a front's program: sends requests, and issues again what a lost back left unanswered.
package final class RingFront {
    /// A rule that this front forgets, to see that the checkers notice.
    package enum Flaw: CaseIterable, Sendable {
        case noEpochInIDs, neverLooksAgain, forgetsUnanswered, keepsOldPages, reusesMappedPages
    }

    /// Looks at its ring this often although no event came.
    private let lookPeriod: Duration
    /// Rings the back again for what stays unanswered so long; nil for never.
    private let nudgePeriod: Duration?

    let life: Int
    let process: MockProcess
    private let user: RingUser
    private let meeting: Meeting
    private let flaw: Flaw?
    private let grants: GrantTable
    private let events: EventChannels

    private var lastEpoch = Epoch.none
    private var connection: RingConnection?
    private var retired: [RingConnection] = []
    private var waiting: [Int] = []
    private var nextNudge: ContinuousClock.Instant?
    private var notBefore: ContinuousClock.Instant?
    private var seenVersion = -1

    init(
        _ process: MockProcess, meeting: Meeting, user: RingUser, flaw: Flaw? = nil,
        lookPeriod: Duration = .milliseconds(250), nudgePeriod: Duration? = .seconds(1)
    ) {
        life = meeting.beginFront()
        self.process = process
        self.meeting = meeting
        self.user = user
        self.flaw = flaw
        self.lookPeriod = lookPeriod
        self.nudgePeriod = nudgePeriod
        grants = GrantTable(process.grants)
        events = EventChannels(process.events)
    }

    /// Whether there is something to do before its time.
    var isRung: Bool {
        !process.isAlive || process.hasPendingEvent || meeting.version != seenVersion
    }

    /// The requests that this life has and that die with it.
    private(set) var unanswered: [Int] = []

    /// Whether this life is over, in good order or not.
    private(set) var hasEnded = false

    /// - Returns: when to look again; nil when this life is over.
    func step(now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        let wake = try process.whileAlive { try work(now) }
        hasEnded = wake == nil
        return wake
    }

    private func work(_ now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        let hasEvent = try takeEvents()
        if flaw != .neverLooksAgain || hasEvent { try takeResponses(now) }
        seenVersion = meeting.version
        if meeting.isClosing { return try close(now) }
        let isServed = try connect(now)
        if isServed { try send(now) }
        retired.removeAll { flaw != .keepsOldPages && $0.release() }
        let look = now + (flaw == .neverLooksAgain ? .seconds(3600) : lookPeriod)
        return min(look, (isServed ? user.nextDue : notBefore) ?? look)
    }

    private func takeEvents() throws -> Bool {
        var hasEvent = false
        while let event = try events.wait(until: .now) {
            hasEvent = true
            try event.unmask()
        }
        return hasEvent
    }

    // MARK: Responses

    private func takeResponses(_ now: ContinuousClock.Instant) throws {
        for old in retired {
            // What a broken old ring has to say matters to nobody.
            while let response = try? old.nextResponse() { try take(response, now) }
        }
        guard let connection else { return }
        do {
            while let response = try connection.nextResponse() { try take(response, now) }
        } catch is RingError {
            retire(now)
        }
    }

    /// Takes a response, of whatever epoch: its id says which.
    private func take(_ response: SquareResponse, _ now: ContinuousClock.Instant) throws {
        guard let connection else { return user.countStale() }
        switch connection.match(response.id) {
        case .answered(let request):
            unanswered.removeAll { $0 == request.payload }
            try user.answer(request.payload, response, of: connection.offer)
        case .abandoned: break
        case .stale: user.countStale()
        case .duplicate, .unknown: retire(now)
        }
    }

    // MARK: Epochs

    /// Whether a back serves our ring.
    private func connect(_ now: ContinuousClock.Instant) throws -> Bool {
        if let connection {
            guard meeting.accepted != connection.offer else { return true }
            if meeting.offer == connection.offer, meeting.refused != connection.offer {
                return false
            }
            retire(now)
        }
        guard notBefore.map({ now >= $0 }) ?? true else { return false }
        notBefore = nil
        lastEpoch = lastEpoch.next
        let new = try RingConnection(
            lastEpoch, life: life, domain: process.domain.id, grants: grants, events: events,
            hasEpochs: flaw != .noEpochInIDs,
            reusing: flaw == .reusesMappedPages ? retired.popLast() : nil)
        connection = new
        meeting.publish(new.offer)
        seenVersion = meeting.version
        return false
    }

    private func retire(_ now: ContinuousClock.Instant) {
        guard let old = connection.take() else { return }
        let unanswered = old.takeUnanswered()
        if flaw != .forgetsUnanswered { waiting = unanswered + waiting }
        retired.append(old)
        // A back that breaks every ring must not make us spin.
        notBefore = now + .milliseconds(20)
    }

    private func send(_ now: ContinuousClock.Instant) throws {
        guard let connection else { return }
        while let number = user.next() {
            unanswered.append(number)
            waiting.append(number)
        }
        for number in try user.cancelled(of: unanswered) {
            unanswered.removeAll { $0 == number }
            waiting.removeAll { $0 == number }
            connection.abandon(number)
        }
        while let number = waiting.first, connection.hasRoom {
            waiting.removeFirst()
            connection.send(number)
        }
        try connection.publish()
        try nudge(connection, now)
    }

    private func nudge(_ connection: RingConnection, _ now: ContinuousClock.Instant) throws {
        guard let nudgePeriod, connection.hasUnanswered else {
            nextNudge = nil
            return
        }
        if let due = nextNudge, now >= due {
            try connection.nudge()
            nextNudge = nil
        }
        nextNudge = nextNudge ?? now + nudgePeriod
    }

    private func close(_ now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        if let old = connection.take() {
            waiting = old.takeUnanswered() + waiting
            retired.append(old)
        }
        for number in waiting { try user.fail(number) }
        (waiting, unanswered) = ([], [])
        retired.removeAll { flaw != .keepsOldPages && $0.release() }
        return retired.isEmpty ? nil : now + .milliseconds(50)
    }
}
