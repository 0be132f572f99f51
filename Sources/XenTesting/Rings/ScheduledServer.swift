import XenCore
import XenRing

/// The server of many rings: an event loop over a `RingScheduler`. For one thread.
final class ScheduledServer {
    /// By the ring's number: the events since `settle`.
    private(set) var eventCounts: [Int]
    /// The numbers of the rings that had work of which no event had told.
    private(set) var lazyRings: Set<Int> = []

    private let half: RingHalf
    private var scheduler: RingScheduler
    private var backs: [ScheduledBack] = []
    private var answeredCount = 0

    /// Attaches to as many rings as the left half offers.
    init(_ half: RingHalf, ringCount: Int) throws {
        var limits = RingScheduler.Limits()
        limits.budget = 4
        limits.checkPeriod = .milliseconds(300)
        scheduler = RingScheduler(limits: limits)
        self.half = half
        eventCounts = [Int](repeating: 0, count: ringCount)
        for _ in 0..<ringCount { backs.append(try ScheduledBack(half, scheduler.add())) }
    }

    /// Uses up what is owed to each ring for having been made and bound, so that from then on only events and checks
    /// lead to a round.
    func settle() throws {
        while eventCounts.contains(0) { note(try half.nextRing("each binding's one event")) }
        while scheduler.activeCount > 0 { try step() }
        eventCounts = [Int](repeating: 0, count: eventCounts.count)
    }

    /// Serves all rings until so many requests are answered. Each of them has the party's patience.
    func serve(until total: Int) throws {
        var deadline = Deadline.after(half.party.patience)
        while answeredCount < total {
            let before = answeredCount
            try step()
            if answeredCount > before { deadline = .after(half.party.patience) }
            guard !deadline.hasPassed else {
                throw ConformanceFailure(
                    "no request within \(half.party.patience), after \(answeredCount) of \(total)")
            }
        }
    }

    func close() throws {
        for back in backs { try back.close() }
    }

    private func step() throws {
        switch scheduler.next(now: .now) {
        case .serve(let id, let budget):
            let (count, outcome) = try backs[id.place].serve(budget)
            answeredCount += count
            scheduler.served(id, outcome)
        case .check(let id):
            let hasWork = try backs[id.place].hasRequests()
            if case .lazy = scheduler.checked(id, hasWork: hasWork) { lazyRings.insert(id.place) }
        case .wait(let deadline):
            try half.lookAtPeer()
            var next = min(deadline, .after(.seconds(1)))
            while let port = try half.ring(until: next) {
                note(port)
                next = .now
            }
        }
    }

    private func note(_ port: EventPort) {
        for (number, back) in backs.enumerated() where back.port == port {
            eventCounts[number] += 1
            scheduler.event(on: back.id)
        }
    }
}

/// One of the server's rings.
private final class ScheduledBack {
    typealias Ring = BackRing<NumberedWords<4>, NumberedWords<2>>

    let id: RingID
    let port: EventPort
    private var pages: AttachedRing?
    private let bell: RingBell
    private var ring: Ring
    /// The left half's port, from which its contents come.
    private let seed: UInt64
    private var takenCount = 0

    init(_ half: RingHalf, _ id: RingID) throws {
        let offer = try half.hear("an offer of pages and a port")
        let pages = try AttachedRing(half, offer)
        // Safe: the ring is not used any more when its pages are closed.
        ring = unsafe Ring(attachingTo: pages.memory)
        bell = pages.bell
        port = pages.bell.port
        self.pages = consume pages
        seed = UInt64(offer[0])
        self.id = id
    }

    func hasRequests() throws -> Bool { try ring.hasRequests() }

    /// Answers what there is, up to the budget.
    ///
    /// - Returns: how many, and whether the final check found no more.
    func serve(_ budget: Int) throws -> (count: Int, RingScheduler.Outcome) {
        var count = 0
        var outcome = RingScheduler.Outcome.budgetUsed
        while count < budget {
            guard let request = try ring.next() else {
                outcome = .emptied
                break
            }
            try expect("a request's number", request.trafficNumber(seed: seed), is: takenCount)
            ring.push(NumberedWords(traffic: UInt32(takenCount), seed: ~seed))
            takenCount += 1
            count += 1
        }
        try bell.notify(if: ring.publish())
        return (count, outcome)
    }

    func close() throws { try pages.take()?.close() }
}
