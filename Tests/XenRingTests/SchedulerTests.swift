import Testing
import XenCore
import XenRing

@Suite struct SchedulerTests {
    static let start = Deadline.now
    let period = RingScheduler.Limits().checkPeriod

    /// Adds rings that are all found empty at `start`.
    private func addIdle(_ count: Int, to scheduler: inout RingScheduler) -> [RingID] {
        var ids: [RingID] = []
        for _ in 0..<count { ids.append(scheduler.add()) }
        #expect(serveAll(&scheduler) == ids)
        return ids
    }

    /// Serves what is active, each ring found empty, until there is nothing to do at this time.
    private func serveAll(
        _ scheduler: inout RingScheduler, at now: Deadline = start
    ) -> [RingID] {
        var served: [RingID] = []
        while true {
            switch scheduler.next(now: now) {
            case .serve(let id, _):
                served.append(id)
                scheduler.served(id, .emptied)
            case .check(let id): Issue.record("\(id) checked too early")
            case .wait(let deadline):
                if deadline > now { return served }
            }
        }
    }

    @Test func anEmptySchedulerWaits() {
        var scheduler = RingScheduler(now: Self.start)
        #expect(
            scheduler.next(now: Self.start) == .wait(until: Self.start + period))
    }

    @Test func aNewRingIsServedOnceWithoutAnEvent() {
        var scheduler = RingScheduler(now: Self.start)
        let ids = addIdle(3, to: &scheduler)
        #expect(scheduler.count == 3 && scheduler.activeCount == 0)
        #expect(scheduler.statistics.roundCount == UInt64(ids.count))
        #expect(scheduler.nextWake == Self.start + period)
    }

    @Test func onlyRingsWithCreditAreServed() {
        var scheduler = RingScheduler(now: Self.start)
        let ids = addIdle(4, to: &scheduler)
        scheduler.event(on: ids[2])
        #expect(scheduler.nextWake <= Self.start)
        #expect(serveAll(&scheduler) == [ids[2]])
        scheduler.event(on: ids[3])
        scheduler.event(on: ids[0])
        scheduler.event(on: ids[3])
        #expect(serveAll(&scheduler) == [ids[3], ids[0], ids[3]])
    }

    @Test func aRingWithWorkLeftIsServedAgainAfterTheOthers() throws {
        var scheduler = RingScheduler(now: Self.start)
        let ids = addIdle(3, to: &scheduler)
        for id in ids { scheduler.event(on: id) }
        try #require(scheduler.next(now: Self.start) == .serve(ids[0], budget: 32))
        scheduler.served(ids[0], .budgetUsed)
        #expect(serveAll(&scheduler) == [ids[1], ids[2], ids[0]])
    }

    @Test func anEventInMidRoundBringsAnotherRound() throws {
        var scheduler = RingScheduler(now: Self.start)
        let ids = addIdle(1, to: &scheduler)
        scheduler.event(on: ids[0])
        try #require(scheduler.next(now: Self.start) == .serve(ids[0], budget: 32))
        scheduler.event(on: ids[0])
        scheduler.served(ids[0], .emptied)
        #expect(serveAll(&scheduler) == [ids[0]])
    }

    @Test func aStormSavesUpBoundedCredit() {
        var scheduler = RingScheduler(now: Self.start)
        let ids = addIdle(2, to: &scheduler)
        for _ in 0..<100_000 { scheduler.event(on: ids[0]) }
        scheduler.event(on: ids[1])
        let served = serveAll(&scheduler)
        #expect(
            served.dropFirst().first == ids[1],
            "the storm does not delay the other by more than a round")
        #expect(served.count == RingScheduler.Limits().eventCredit + 1)
        #expect(scheduler.statistics.eventCount == 100_001)
    }

    @Test func eventsAreCollectedBetweenTurns() throws {
        var limits = RingScheduler.Limits()
        limits.roundsPerTurn = 2
        var scheduler = RingScheduler(limits: limits, now: Self.start)
        let ids = addIdle(3, to: &scheduler)
        for id in ids { scheduler.event(on: id) }
        for id in ids.prefix(2) {
            try #require(scheduler.next(now: Self.start) == .serve(id, budget: 32))
            scheduler.served(id, .budgetUsed)
        }
        #expect(scheduler.next(now: Self.start) == .wait(until: Self.start))
        #expect(serveAll(&scheduler) == [ids[2], ids[0], ids[1]])
    }

    @Test func aLazyPeerIsFoundAndGetsManyRounds() throws {
        var scheduler = RingScheduler(now: Self.start)
        let ids = addIdle(2, to: &scheduler)
        let due = Self.start + period
        try #require(scheduler.next(now: due) == .check(ids[0]))
        #expect(scheduler.checked(ids[0], hasWork: false) == .quiet)
        try #require(scheduler.next(now: due) == .check(ids[1]))
        let verdict = scheduler.checked(ids[1], hasWork: true)
        #expect(verdict == .lazy(roundCount: 32 + 2 * 2))
        #expect("\(verdict)".contains("36 rounds"))
        #expect(serveAll(&scheduler, at: due) == Array(repeating: ids[1], count: 36))
        #expect(scheduler.statistics.lazyCount == 1)
        #expect(scheduler.statistics.falsePositiveCount == 0)
    }

    @Test func aLateEventShowsAFalsePositive() throws {
        var scheduler = RingScheduler(now: Self.start)
        let ids = addIdle(1, to: &scheduler)
        try #require(scheduler.next(now: Self.start + period) == .check(ids[0]))
        #expect(scheduler.checked(ids[0], hasWork: true) == .lazy(roundCount: 34))
        scheduler.event(on: ids[0])
        scheduler.event(on: ids[0])
        #expect(scheduler.statistics.falsePositiveCount == 1)
        #expect(serveAll(&scheduler, at: Self.start + period).count == 34)
    }

    @Test func anEventInMidCheckIsNoLaziness() throws {
        var scheduler = RingScheduler(now: Self.start)
        let ids = addIdle(1, to: &scheduler)
        try #require(scheduler.next(now: Self.start + period) == .check(ids[0]))
        scheduler.event(on: ids[0])
        #expect(scheduler.checked(ids[0], hasWork: true) == .notified)
        #expect(serveAll(&scheduler, at: Self.start + period) == ids)
        #expect(scheduler.statistics.lazyCount == 0)
    }

    @Test func checksAreSlicedAndDoNotHoldUpTheActive() throws {
        var scheduler = RingScheduler(now: Self.start)
        let ids = addIdle(100, to: &scheduler)
        let due = Self.start + period
        var (checks, turns) = (0, 0)
        while checks < 99 {
            scheduler.event(on: ids[99])
            var checksOfTurn = 0
            while case .check(let id) = scheduler.next(now: due) {
                checksOfTurn += 1
                scheduler.checked(id, hasWork: false)
            }
            try #require(scheduler.activeCount == 0, "the active ring was handed out")
            try #require(checksOfTurn > 0)
            scheduler.served(ids[99], .emptied)
            let more = scheduler.next(now: due)
            #expect(more == .wait(until: scheduler.nextWake))
            #expect(checksOfTurn <= 16)
            checks += checksOfTurn
            turns += 1
        }
        #expect(turns == 7)
    }

    @Test func ringsDueSoonAreCheckedInTheSameWakeUp() throws {
        var scheduler = RingScheduler(now: Self.start)
        let ids = addIdle(1, to: &scheduler)
        let later = scheduler.add()
        let near = Self.start + period / 10
        try #require(scheduler.next(now: near) == .serve(later, budget: 32))
        scheduler.served(later, .emptied)
        #expect(scheduler.next(now: near) == .wait(until: Self.start + period))
        for id in [ids[0], later] {
            try #require(scheduler.next(now: Self.start + period) == .check(id))
            #expect(scheduler.checked(id, hasWork: false) == .quiet)
        }
    }

    @Test(arguments: [false, true]) func aRemovedRingsIDIsRefused(placeIsTakenAgain: Bool) {
        var scheduler = RingScheduler(now: Self.start)
        let ids = addIdle(2, to: &scheduler)
        #expect(scheduler.remove(ids[0]) == true)
        let new = placeIsTakenAgain ? [scheduler.add()] : []
        #expect(new != [ids[0]])
        #expect(scheduler.event(on: ids[0]) == false)
        #expect(scheduler.served(ids[0], .budgetUsed) == false)
        #expect(scheduler.checked(ids[0], hasWork: true) == .stale)
        #expect(scheduler.remove(ids[0]) == false)
        #expect(scheduler.statistics.staleCount == 4)
        #expect(serveAll(&scheduler) == new)
        #expect(scheduler.count == 1 + new.count)
    }

    @Test func aRingMayGoAtAnyPoint() throws {
        var scheduler = RingScheduler(now: Self.start)
        let ids = addIdle(4, to: &scheduler)
        scheduler.event(on: ids[0])
        scheduler.event(on: ids[1])
        try #require(scheduler.next(now: Self.start) == .serve(ids[0], budget: 32))
        #expect(scheduler.remove(ids[0]) == true, "while it is served")
        #expect(scheduler.served(ids[0], .emptied) == false)
        #expect(scheduler.remove(ids[1]) == true, "while it waits for its round")
        #expect(serveAll(&scheduler) == [])
        try #require(scheduler.next(now: Self.start + period) == .check(ids[2]))
        #expect(scheduler.remove(ids[2]) == true, "while it is checked")
        #expect(scheduler.checked(ids[2], hasWork: true) == .stale)
        #expect(scheduler.remove(ids[3]) == true, "while it is idle")
        #expect(scheduler.count == 0 && scheduler.activeCount == 0)
    }

    @Test func aClockThatGoesBackIsNotFollowed() throws {
        var scheduler = RingScheduler(now: Self.start)
        let ids = addIdle(1, to: &scheduler)
        try #require(scheduler.next(now: Self.start + period) == .check(ids[0]))
        #expect(scheduler.checked(ids[0], hasWork: false) == .quiet)
        let expected = Self.start + period * 2
        #expect(scheduler.next(now: Self.start) == .wait(until: expected))
    }
}
