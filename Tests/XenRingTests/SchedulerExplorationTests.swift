import Testing
import XenCore
import XenRing

/// Every order of writes, steps and passing time, up to a depth, with every mix of peers.
@Suite struct SchedulerExplorationTests {
    @Test(arguments: mixes(of: 2)) func twoRings(_ peers: [Peer]) {
        var explorer = Explorer()
        explorer.explore(SchedulerWorld(peers), depth: 7)
        #expect(explorer.failure == nil)
        #expect(explorer.historyCount == 16_384)
    }

    @Test(arguments: mixes(of: 3)) func threeRings(_ peers: [Peer]) {
        var explorer = Explorer()
        explorer.explore(SchedulerWorld(peers), depth: 5)
        #expect(explorer.failure == nil)
        #expect(explorer.historyCount == 3125)
    }

    @Test func lazyAndLatePeersAreToldApart() {
        for (peer, falsePositives) in [(Peer.silent, 0), (.late, 1), (.notifying, 0)] {
            var world = SchedulerWorld([peer])
            world.loop()
            world.perform(.write(0))
            world.settle()
            #expect(world.failure == nil)
            #expect(world.scheduler.statistics.lazyCount == (peer == .notifying ? 0 : 1))
            #expect(world.scheduler.statistics.falsePositiveCount == UInt64(falsePositives))
        }
    }

    private struct Explorer {
        var failure: String?
        var historyCount = 0
        private var path: [SchedulerWorld.Action] = []

        init() {}

        mutating func explore(_ world: borrowing SchedulerWorld, depth: Int) {
            guard depth > 0 else {
                var end = world.copy()
                end.settle()
                historyCount += 1
                if let found = end.failure, failure == nil { failure = "\(found) after \(path)" }
                return
            }
            let writes = world.peers.indices.map(SchedulerWorld.Action.write)
            for action in writes + [.step, .loop] {
                var next = world.copy()
                next.perform(action)
                path.append(action)
                explore(next, depth: depth - 1)
                path.removeLast()
            }
        }
    }
}

/// How a peer notifies of what it writes.
enum Peer: CaseIterable {
    case notifying
    case silent
    /// Notifies all the time, work or not.
    case storming
    /// Its notification comes when the checker has found the work.
    case late
}

/// Every multiset of peers.
private func mixes(of count: Int, from first: Int = 0) -> [[Peer]] {
    guard count > 0 else { return [[]] }
    return Peer.allCases.indices.dropFirst(first).flatMap { kind in
        mixes(of: count - 1, from: kind).map { [Peer.allCases[kind]] + $0 }
    }
}

/// A scheduler, the work in its rings, and a loop that takes a message at a time.
struct SchedulerWorld: ~Copyable {
    enum Action {
        case write(Int)
        /// One step of the loop.
        case step
        /// The loop until it waits, and then time until the next event or deadline, or a part of it.
        case loop
    }

    let peers: [Peer]
    private(set) var scheduler: RingScheduler
    private(set) var failure: String?
    private let ids: [RingID]
    private var now: ContinuousClock.Instant
    private var work: [Int]
    /// Since when a ring has had work of which none was taken.
    private var waitingSince: [ContinuousClock.Instant]
    private let period: Duration
    /// What a turn of the loop takes where nothing else lets time pass.
    private let tick: Duration

    init(_ peers: [Peer]) {
        self.peers = peers
        now = .now
        var limits = RingScheduler.Limits()
        limits.budget = 1
        limits.eventCredit = 2
        limits.lazyCredit = 2
        limits.lazyCreditPerRing = 1
        period = limits.checkPeriod
        tick = period / 64
        var scheduler = RingScheduler(limits: limits, now: Deadline(at: now))
        var ids: [RingID] = []
        for _ in peers { ids.append(scheduler.add()) }
        self.ids = ids
        self.scheduler = scheduler
        work = peers.map { _ in 0 }
        waitingSince = peers.map { [now] _ in now }
    }

    /// For another way to go on from here.
    func copy() -> SchedulerWorld { SchedulerWorld(copying: self) }

    private init(copying other: borrowing SchedulerWorld) {
        (peers, ids, failure) = (other.peers, other.ids, other.failure)
        (now, work, waitingSince) = (other.now, other.work, other.waitingSince)
        (period, tick) = (other.period, other.tick)
        scheduler = other.scheduler.copy()
    }

    mutating func perform(_ action: Action) {
        switch action {
        case .write(let ring):
            if work[ring] == 0 { waitingSince[ring] = now }
            work[ring] += 1
            if peers[ring] == .notifying { scheduler.event(on: ids[ring]) }
        case .step: _ = step()
        case .loop: loop()
        }
    }

    mutating func loop() {
        var steps = 0
        while true {
            if let deadline = step() {
                let idle = now.duration(to: deadline.instant)
                now += min(max(idle, tick), period / 4)
                return
            }
            steps += 1
            if steps > 4 * ids.count { return fail("a turn without an end") }
        }
    }

    /// Loops until all work is done, which it has to be within a period and a little.
    mutating func settle() {
        let end = now + period * 4
        while failure == nil, work.contains(where: { $0 > 0 }) {
            loop()
            if now > end { fail("work was never done") }
        }
    }

    /// - Returns: until when to wait, if that is what the step was.
    private mutating func step() -> Deadline? {
        switch scheduler.next(now: Deadline(at: now)) {
        case .serve(let id, let budget):
            guard let ring = ids.firstIndex(of: id) else { return nil }
            work[ring] -= min(work[ring], budget)
            waitingSince[ring] = now
            scheduler.served(id, work[ring] > 0 ? .budgetUsed : .emptied)
            return nil
        case .check(let id):
            guard let ring = ids.firstIndex(of: id) else { return nil }
            let verdict = scheduler.checked(id, hasWork: work[ring] > 0)
            if case .lazy = verdict, peers[ring] == .late { scheduler.event(on: id) }
            return nil
        case .wait(let deadline):
            for ring in ids.indices {
                if work[ring] > 0, waitingSince[ring].duration(to: now) > period + tick * 3 {
                    fail("ring \(ring) has waited for more than a period")
                }
                if peers[ring] == .storming { scheduler.event(on: ids[ring]) }
            }
            return deadline
        }
    }

    private mutating func fail(_ text: String) { failure = failure ?? text }
}
