import Testing
import XenCore
import XenRing

@Suite struct SchedulerScaleTests {
    let start = Deadline.now
    let period = RingScheduler.Limits().checkPeriod

    private func addIdle(_ count: Int, to scheduler: inout RingScheduler) -> [RingID] {
        var ids: [RingID] = []
        for _ in 0..<count { ids.append(scheduler.add()) }
        while scheduler.activeCount > 0 {
            guard case .serve(let id, _) = scheduler.next(now: start) else { continue }
            scheduler.served(id, .emptied)
        }
        _ = scheduler.next(now: start)
        return ids
    }

    /// The entries that each kind of call touches, with so many idle rings around it.
    private func costs(ringCount: Int) -> [String: UInt64] {
        var scheduler = RingScheduler(now: start)
        let ids = addIdle(ringCount, to: &scheduler)
        var costs: [String: UInt64] = [:]
        func measure(_ name: String, _ body: (inout RingScheduler) -> Void) {
            let before = scheduler.accessCount
            body(&scheduler)
            costs[name] = scheduler.accessCount - before
        }
        let id = ids[ringCount / 2]
        measure("event") { $0.event(on: id) }
        measure("serve") { #expect($0.next(now: start) == .serve(id, budget: 32)) }
        measure("served, more") { $0.served(id, .budgetUsed) }
        measure("end of turn") { #expect($0.next(now: start) == .wait(until: start)) }
        measure("serve again") { #expect($0.next(now: start) == .serve(id, budget: 32)) }
        measure("served, empty") { $0.served(id, .emptied) }
        measure("wait") { #expect($0.next(now: start) == .wait(until: $0.nextWake)) }
        measure("check") { #expect($0.next(now: start + period) == .check(ids[0])) }
        measure("checked") { $0.checked(ids[0], hasWork: true) }
        measure("remove") { $0.remove(ids[1]) }
        measure("add") { _ = $0.add() }
        return costs
    }

    @Test func noCallCostsMoreWhereMoreRingsAreIdle() throws {
        let few = costs(ringCount: 16)
        #expect(costs(ringCount: 1024) == few)
        #expect(costs(ringCount: 65_536) == few)
        #expect(try #require(few.values.max()) < 32)
    }

    @Test func manyRingsOneActive() throws {
        var server = RingServer(ringCount: 4096, now: start)
        try server.run(at: start)
        #expect(server.scheduler.statistics.roundCount == 4096, "each began with one credit")

        for _ in 0..<1000 {
            server.request(on: 77)
            try server.run(at: start)
        }
        #expect(server.answered == [77: 1000])
        #expect(server.scheduler.statistics.eventCount == 1000)
        #expect(server.scheduler.statistics.roundCount == 4096 + 1000)
        #expect(server.scheduler.statistics.checkCount == 0)
    }

    @Test func oneOfManyDoesNotNotify() throws {
        var server = RingServer(ringCount: 4096, now: start)
        try server.run(at: start)
        server.request(on: 4000, notifying: false)
        try server.run(at: start + period / 2)
        #expect(server.answered == [:])
        try server.run(at: start + period)
        #expect(server.answered == [4000: 1])
        #expect(server.scheduler.statistics.lazyCount == 1)
        #expect(server.scheduler.statistics.checkCount == 4096)
        #expect(server.longestSlice <= 16)
    }
}

/// Real rings on plain memory, both ends, and an event loop's body over their scheduler.
private struct RingServer: ~Copyable {
    private final class Ring {
        let memory = TestMemory()
        var front: FrontRing<Wide<14>, Wide<2>>
        var back: BackRing<Wide<14>, Wide<2>>

        init() {
            front = FrontRing(initializing: memory.view)
            back = BackRing(attachingTo: memory.view)
        }
    }

    private(set) var scheduler: RingScheduler
    private var rings: [Ring]
    private var ids: [RingID]
    private var numbers: [RingID: Int]
    /// Responses by ring.
    private(set) var answered: [Int: Int] = [:]
    /// The most checks between two chances to collect events.
    private(set) var longestSlice = 0

    init(ringCount: Int, now: Deadline) {
        var scheduler = RingScheduler(now: now)
        rings = (0..<ringCount).map { _ in Ring() }
        ids = []
        for _ in rings { ids.append(scheduler.add()) }
        numbers = Dictionary(uniqueKeysWithValues: zip(ids, 0...))
        self.scheduler = scheduler
    }

    mutating func request(on number: Int, notifying: Bool = true) {
        #expect(rings[number].front.push(Wide(1)) == true)
        if rings[number].front.publish() == .required, notifying {
            scheduler.event(on: ids[number])
        }
    }

    /// Until there is nothing to do at this time.
    mutating func run(at now: Deadline) throws {
        var checks = 0
        while true {
            switch scheduler.next(now: now) {
            case .serve(let id, let budget):
                scheduler.served(id, try serve(try #require(numbers[id]), atMost: budget))
            case .check(let id):
                let number = try #require(numbers[id])
                scheduler.checked(id, hasWork: try rings[number].back.hasRequests())
                checks += 1
            case .wait(let deadline):
                longestSlice = max(longestSlice, checks)
                checks = 0
                if deadline > now { return }
            }
        }
    }

    private mutating func serve(
        _ number: Int, atMost budget: Int
    ) throws(RingError) -> RingScheduler.Outcome {
        let ring = rings[number]
        var outcome = RingScheduler.Outcome.budgetUsed
        for _ in 0..<budget {
            guard let request = try ring.back.next() else {
                outcome = .emptied
                break
            }
            ring.back.push(Wide(request.value))
        }
        _ = ring.back.publish()
        let count = try ring.front.drain { _ in }
        if count > 0 { answered[number, default: 0] += count }
        return outcome
    }
}
