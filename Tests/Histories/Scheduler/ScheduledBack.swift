import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenRing
import XenTesting

/// One life of a back's program that serves many fronts' rings as a `RingScheduler` says.
package final class ScheduledBack {
    /// A rule that this back forgets, to see that the checkers notice.
    package enum Flaw: CaseIterable, Sendable {
        /// Takes every ring without credit for one without work.
        case checksNothing
        /// Lets go of nothing when a front offers a new ring.
        case keepsOldRings
    }

    let process: MockProcess
    private let meetings: [Meeting]
    private let lives: [Int]
    private let flaw: Flaw?
    private let grants: GrantTable
    private let events: EventChannels
    private var scheduler: RingScheduler

    /// A front's ring, and what the scheduler calls it.
    private struct Served {
        let id: RingID
        let ring: ServedRing
    }
    private var served: [Served?]
    private var refused: [Meeting.Offer?]
    private var kept: [ServedRing] = []
    private var places: [RingID: Int] = [:]
    private var seenVersions: [Int]
    private(set) var hasEnded = false

    init(
        _ process: MockProcess, meetings: [Meeting], flaw: Flaw?, now: ContinuousClock.Instant
    ) {
        self.process = process
        self.meetings = meetings
        self.flaw = flaw
        lives = meetings.map { $0.beginBack() }
        grants = GrantTable(process.grants)
        events = EventChannels(process.events)
        // Small enough that budgets and turns end in a history's few requests.
        var limits = RingScheduler.Limits()
        limits.budget = 4
        limits.eventCredit = 4
        limits.checksPerTurn = 3
        limits.roundsPerTurn = 8
        scheduler = RingScheduler(limits: limits, now: Deadline(at: now))
        served = meetings.map { _ in nil }
        refused = meetings.map { _ in nil }
        seenVersions = meetings.map { _ in -1 }
    }

    var isRung: Bool {
        !process.isAlive || process.hasPendingEvent
            || zip(meetings, seenVersions).contains { $0.version != $1 }
    }

    /// - Returns: when to look again; nil when this life is over.
    func step(now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        let wake = try process.whileAlive { try work(now) }
        hasEnded = wake == nil
        return wake
    }

    private func work(_ now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        try takeEvents()
        var wake: ContinuousClock.Instant?
        for place in meetings.indices {
            if try !connect(place, now) { wake = now + .milliseconds(10) }
        }
        if meetings[0].isClosing {
            for place in meetings.indices { drop(place) }
            return kept.isEmpty ? nil : now + .seconds(3600)
        }
        while true {
            switch scheduler.next(now: Deadline(at: now)) {
            case .serve(let id, let budget): try serve(id, budget, now)
            case .check(let id):
                let hasWork = hasWork(id) && flaw != .checksNothing
                scheduler.checked(id, hasWork: hasWork)
            case .wait(let deadline):
                let due = max(deadline.instant, now)
                return wake.map { min($0, due) } ?? due
            }
        }
    }

    private func takeEvents() throws {
        while let event = try events.wait(until: .now) {
            let port = event.port
            if let id = served.first(where: { $0?.ring.port == port })??.id {
                scheduler.event(on: id)
            }
            try event.unmask()
        }
    }

    // MARK: Rings that come and go

    /// - Returns: false to try again in a moment.
    private func connect(_ place: Int, _ now: ContinuousClock.Instant) throws -> Bool {
        let meeting = meetings[place]
        seenVersions[place] = meeting.version
        guard let offer = meeting.offer, offer != served[place]?.ring.offer,
            offer != refused[place]
        else { return true }
        drop(place)
        do {
            let ring = try ServedRing(offer, grants: grants, events: events)
            let id = scheduler.add()
            served[place] = Served(id: id, ring: ring)
            places[id] = place
            meeting.accept(offer, by: lives[place])
        } catch let error as GrantError where error.code == .again {
            return false
        } catch  where process.isAlive {
            refuse(place, offer)
        }
        return true
    }

    private func drop(_ place: Int) {
        guard let old = served[place] else { return }
        served[place] = nil
        if flaw == .keepsOldRings { kept.append(old.ring) }
        places[old.id] = nil
        scheduler.remove(old.id)
    }

    private func refuse(_ place: Int, _ offer: Meeting.Offer) {
        drop(place)
        refused[place] = offer
        meetings[place].refuse(offer, by: lives[place])
    }

    // MARK: Rounds

    private func serve(_ id: RingID, _ budget: Int, _ now: ContinuousClock.Instant) throws {
        guard let place = places[id], let ring = served[place]?.ring else { return }
        do {
            let count = try ring.take(atMost: budget) { now }
            try ring.answer(by: now, life: lives[place])
            scheduler.served(id, count == budget ? .budgetUsed : .emptied)
        } catch is RingError {
            refuse(place, ring.offer)
        }
    }

    private func hasWork(_ id: RingID) -> Bool {
        guard let place = places[id], let ring = served[place]?.ring else { return false }
        do {
            return try ring.hasRequests()
        } catch {
            refuse(place, ring.offer)
            return false
        }
    }
}
