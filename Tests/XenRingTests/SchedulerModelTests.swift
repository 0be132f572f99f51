import Testing
import XenCore
import XenRing

/// Random histories beside a specification that looks at every ring each time.
@Suite struct SchedulerModelTests {
    @Test func randomHistoriesAgreeWithAFullScan() {
        let base = UInt64.random(in: 0 ... .max - 3000)
        for seed in base..<base + 3000 {
            var history = SchedulerHistory(seed: seed)
            history.run(actionCount: 120)
            guard let failure = history.failure else { continue }
            Issue.record("seed \(seed): \(failure)")
            return
        }
    }

    @Test func theFirstSeeds() {
        for seed: UInt64 in 0..<500 {
            var history = SchedulerHistory(seed: seed)
            history.run(actionCount: 120)
            #expect(history.failure == nil, "seed \(seed)")
        }
    }
}

/// One random history: rings come and go, peers write and notify or do not, the loop goes on.
private struct SchedulerHistory: ~Copyable {
    /// What the specification knows of a ring.
    private struct Ring {
        var credit = 1
        /// When it joined the rings that have credit, or those that have none: by number, not by time.
        var joined: Int
        var foundEmpty: ContinuousClock.Instant
        var work = 0
        var waitingSince: ContinuousClock.Instant
    }

    private(set) var failure: String?
    private var random: SplitMix
    private var scheduler: RingScheduler
    private var rings: [RingID: Ring] = [:]
    private var ids: [RingID] = []
    private var removed: [RingID] = []
    private var now: ContinuousClock.Instant
    private var joinCount = 0
    /// The rounds that were called for, at most.
    private var roundsEarned: UInt64 = 0
    private var (checksOfTurn, roundsOfTurn) = (0, 0)
    private let limits: RingScheduler.Limits

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        var limits = RingScheduler.Limits()
        limits.budget = Int.random(in: 1...3, using: &random)
        limits.eventCredit = Int.random(in: 1...4, using: &random)
        limits.lazyCredit = Int.random(in: 1...4, using: &random)
        limits.lazyCreditPerRing = Int.random(in: 0...2, using: &random)
        limits.checksPerTurn = Int.random(in: 1...3, using: &random)
        limits.roundsPerTurn = Int.random(in: 1...3, using: &random)
        self.limits = limits
        now = .now
        scheduler = RingScheduler(limits: limits, now: Deadline(at: now))
    }

    mutating func run(actionCount: Int) {
        for _ in 0..<actionCount where failure == nil { act() }
        let end = now + limits.checkPeriod * 3
        while failure == nil, rings.values.contains(where: { $0.work > 0 }) {
            loop()
            if now > end { fail("work was never done") }
        }
        if scheduler.statistics.roundCount > roundsEarned {
            fail("\(scheduler.statistics.roundCount) rounds, \(roundsEarned) called for")
        }
        if scheduler.count != rings.count { fail("rings were lost") }
    }

    private mutating func act() {
        switch Int.random(in: 0..<16, using: &random) {
        case 0 where ids.count < 7: add()
        case 1 where Bool.random(using: &random): remove()
        case 2: useStaleID()
        case 3...6: write(notifying: true)
        case 7, 8: write(notifying: false)
        case 9: storm()
        case 10, 11: loop()
        default: _ = step()
        }
    }

    private mutating func add() {
        let id = scheduler.add()
        if rings[id] != nil || removed.contains(id) { fail("\(id) was given twice") }
        joinCount += 1
        roundsEarned += 1
        rings[id] = Ring(joined: joinCount, foundEmpty: now, waitingSince: now)
        ids.append(id)
    }

    private mutating func remove() {
        guard let id = ids.randomElement(using: &random) else { return }
        if !scheduler.remove(id) { fail("\(id) was refused") }
        rings[id] = nil
        ids.removeAll { $0 == id }
        removed.append(id)
    }

    private mutating func useStaleID() {
        guard let id = removed.randomElement(using: &random) else { return }
        if scheduler.event(on: id) || scheduler.remove(id) || scheduler.served(id, .budgetUsed) {
            fail("\(id) was removed, and is taken for another")
        }
    }

    private mutating func write(notifying: Bool) {
        guard let id = ids.randomElement(using: &random), var ring = rings[id] else { return }
        if ring.work == 0 { ring.waitingSince = now }
        ring.work += Int.random(in: 1...4, using: &random)
        rings[id] = ring
        if notifying { event(on: id) }
    }

    private mutating func storm() {
        guard let id = ids.randomElement(using: &random) else { return }
        for _ in 0..<Int.random(in: 1...20, using: &random) { event(on: id) }
    }

    private mutating func event(on id: RingID) {
        if !scheduler.event(on: id) { fail("\(id) was refused") }
        guard var ring = rings[id] else { return }
        if ring.credit == 0 {
            joinCount += 1
            ring.joined = joinCount
        }
        if ring.credit < limits.eventCredit {
            ring.credit += 1
            roundsEarned += 1
        }
        rings[id] = ring
    }

    private mutating func loop() {
        while failure == nil {
            if let deadline = step() {
                let idle = now.duration(to: deadline.instant)
                now += min(max(idle, limits.checkPeriod / 256), limits.checkPeriod / 4)
                return
            }
        }
    }

    /// - Returns: until when to wait, if that is what the step was.
    private mutating func step() -> Deadline? {
        switch scheduler.next(now: Deadline(at: now)) {
        case .serve(let id, let budget):
            serve(id, budget)
            roundsOfTurn += 1
            if roundsOfTurn > limits.roundsPerTurn { fail("a turn of too many rounds") }
        case .check(let id):
            check(id)
            checksOfTurn += 1
            if checksOfTurn > limits.checksPerTurn { fail("a turn of too many checks") }
        case .wait(let deadline):
            (checksOfTurn, roundsOfTurn) = (0, 0)
            expectNothingForgotten(deadline)
            return deadline
        }
        return nil
    }

    /// The ring must be the one that has waited longest of all that have credit.
    private mutating func serve(_ id: RingID, _ budget: Int) {
        let first = rings.filter { $0.value.credit > 0 }.min { $0.value.joined < $1.value.joined }
        guard var ring = rings[id], id == first?.key, budget == limits.budget else {
            return fail("\(id) was served before its turn")
        }
        ring.credit -= 1
        ring.work -= min(ring.work, budget)
        ring.waitingSince = now
        if ring.work > 0, ring.credit == 0 {
            ring.credit = 1
            roundsEarned += 1
        }
        join(&ring)
        rings[id] = ring
        scheduler.served(id, ring.work > 0 ? .budgetUsed : .emptied)
    }

    /// The ring must be without credit, due or soon due, and the one that was looked at longest ago.
    private mutating func check(_ id: RingID) {
        let first = rings.filter { $0.value.credit == 0 }.min { $0.value.joined < $1.value.joined }
        guard var ring = rings[id], id == first?.key,
            ring.foundEmpty.duration(to: now) >= limits.checkPeriod * 7 / 8
        else { return fail("\(id) was checked before its turn") }
        let verdict = scheduler.checked(id, hasWork: ring.work > 0)
        let credit = limits.lazyCredit + limits.lazyCreditPerRing * rings.count
        if verdict != (ring.work > 0 ? .lazy(roundCount: credit) : .quiet) {
            fail("\(id), with \(ring.work) messages, was found \(verdict)")
        }
        if ring.work > 0 {
            ring.credit = credit
            roundsEarned += UInt64(credit)
        }
        join(&ring)
        rings[id] = ring
    }

    private mutating func join(_ ring: inout Ring) {
        joinCount += 1
        ring.joined = joinCount
        ring.foundEmpty = now
    }

    /// A full scan must not find more to do than the scheduler sees.
    private mutating func expectNothingForgotten(_ deadline: Deadline) {
        for (id, ring) in rings {
            if ring.credit > 0, deadline.instant > now { fail("\(id) has credit") }
            let due = ring.foundEmpty + limits.checkPeriod
            if ring.credit == 0, deadline.instant > max(due, now) {
                fail("\(id) is due before the loop wakes")
            }
            // Time passes by a tick a turn, and others' turns may come first.
            let bound = limits.checkPeriod * 5 / 4
            if ring.work > 0, ring.waitingSince.duration(to: now) > bound {
                fail("\(id) has waited for more than a period")
            }
        }
    }

    private mutating func fail(_ text: String) { failure = failure ?? text }
}
