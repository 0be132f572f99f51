import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenRing
import XenTesting

/// One life of a back's program: serves the ring that the front offers.
package final class RingBack {
    /// A rule that this back forgets, to see that the checkers notice.
    package enum Flaw: CaseIterable, Sendable {
        case dropsSlowRequests, keepsMappings
    }

    /// Looks at its ring this often although no event came.
    static let lookPeriod = Duration.seconds(1)

    let life: Int
    let process: MockProcess
    let isHostile: Bool
    private let simulation: Simulation
    private let user: RingUser
    private let meeting: Meeting
    private let flaw: Flaw?
    private let grants: GrantTable
    private let events: EventChannels

    private var served: ServedRing?
    private var kept: [ServedRing] = []
    private var refused: Meeting.Offer?
    private var seenVersion = -1
    /// Until when it neither works nor dies.
    private(set) var hungUntil: ContinuousClock.Instant?

    init(
        _ process: MockProcess, meeting: Meeting, user: RingUser, simulation: Simulation,
        isHostile: Bool, flaw: Flaw? = nil
    ) {
        life = meeting.beginBack()
        self.process = process
        self.meeting = meeting
        self.user = user
        self.simulation = simulation
        self.isHostile = isHostile
        self.flaw = flaw
        grants = GrantTable(process.grants)
        events = EventChannels(process.events)
    }

    /// Whether there is something to do before its time.
    var isRung: Bool {
        guard process.isAlive else { return true }
        return hungUntil == nil && (process.hasPendingEvent || meeting.version != seenVersion)
    }

    /// Hangs no more.
    func wakeUp() { hungUntil = hungUntil.map { _ in simulation.now } }

    /// Whether this life is over, in good order or not.
    private(set) var hasEnded = false

    /// - Returns: when to look again; nil when this life is over.
    func step(now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        let wake = try process.whileAlive { try work(now) }
        hasEnded = wake == nil
        return wake
    }

    private func work(_ now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        if let until = hungUntil, now < until { return until }
        hungUntil = nil
        while let event = try events.wait(until: .now) { try event.unmask() }
        seenVersion = meeting.version
        if life != meeting.backLife || meeting.isClosing { return try leave(now) }
        var wake = now + Self.lookPeriod
        if let retry = try connect(now) { wake = retry }
        if isHostile { return try misbehave(now) }
        try serve(now)
        if simulation.choices.happens("hang", Self.hangProbability) {
            hungUntil = now + .milliseconds(simulation.choices.number("hung", in: 1..<2000))
            return hungUntil
        }
        return min(wake, served?.nextDue ?? wake)
    }

    private static let hangProbability = 0.02

    /// - Returns: when to try again.
    private func connect(_ now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        guard let offer = meeting.offer, offer != served?.offer, offer != refused else {
            return nil
        }
        if let old = served.take(), flaw == .keepsMappings { kept.append(old) }
        do {
            if isHostile { user.taint(offer) }
            served = try ServedRing(offer, grants: grants, events: events)
            meeting.accept(offer, by: life)
        } catch let error as GrantError where error.code == .again {
            return now + .milliseconds(10)
        } catch  where process.isAlive {
            refuse(offer)
        }
        return nil
    }

    private func refuse(_ offer: Meeting.Offer) {
        served = nil
        refused = offer
        meeting.refuse(offer, by: life)
    }

    private func serve(_ now: ContinuousClock.Instant) throws {
        guard let served else { return }
        let choices = simulation.choices
        do {
            _ = try served.take(atMost: 64) {
                choices.happens("slow", 0.2)
                    ? now + .milliseconds(choices.number("slowness", in: 1..<400)) : now
            }
            try served.answer(by: now, life: life)
            if flaw == .dropsSlowRequests { served.dropPending() }
        } catch is RingError {
            refuse(served.offer)
        }
    }

    /// Writes anything anywhere, and rings.
    private func misbehave(_ now: ContinuousClock.Instant) throws -> ContinuousClock.Instant {
        Scribbler(simulation.choices).scribble(process)
        if simulation.choices.happens("hostileRing", 0.5) { try served?.notify() }
        return now + .microseconds(simulation.choices.number("hostilePause", in: 100..<20_000))
    }

    /// Replaced, or told to end: answers what it still has in hand, and goes.
    private func leave(_ now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        if let served, !isHostile {
            _ = try? served.take(atMost: 64) { now }
            try served.answer(by: now + .seconds(3600), life: life)
        }
        served = nil
        return kept.isEmpty ? nil : now + .seconds(3600)
    }
}
