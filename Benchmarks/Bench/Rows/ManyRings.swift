import XenCore
import XenRing

extension Row {
    static var manyRings: Row {
        Row(
            name: "rings-scale",
            summary:
                "one server of 1 to 4096 rings with RingScheduler, of which 1 or 16 at a time have a request, each "
                + "time others; and one whose peer does not notify",
            contests: {
                let counts = [1, 64, 1024, 4096]
                return counts.map { busyContest(active: 1, of: $0) }
                    + counts.dropFirst().map { busyContest(active: 16, of: $0) }
                    + counts.map(silentContest)
            })
    }
}

private func busyContest(active: Int, of count: Int) -> Contest {
    var peers = FleetTwin.credit(active: active, of: count)
    if active == 1 && count > 1 {
        peers.append(
            Contender(name: "ours, 1 of 1", bar: .atMost(5)) {
                try carry($0, active: 1, of: 1, by: ScheduledService.init)
            })
    }
    peers += [
        Contender(name: "ours, notified only") {
            try carry($0, active: active, of: count, by: NotifiedService.init)
        },
        Contender(name: "ours, full scan") {
            try carry($0, active: active, of: count, by: ScanningService.init)
        },
    ]
    return Contest(
        name: "\(active) of \(count)", share: 0.4,
        ours: Contender { try carry($0, active: active, of: count, by: ScheduledService.init) },
        peers: peers + FleetTwin.scan(active: active, of: count))
}

private func silentContest(_ count: Int) -> Contest {
    Contest(
        name: "1 silent of \(count)", share: 0.4,
        ours: Contender { try carrySilently($0, of: count) },
        peers: FleetTwin.silent(of: count))
}

/// How a server finds the rings that have requests.
private protocol Service: ~Copyable {
    init(count: Int)
    mutating func event(on ring: Int)
    /// Serves until all is answered.
    mutating func serve(_ fleet: borrowing Fleet, _ sum: inout UInt64) throws(RingError)
}

/// Carries requests, `active` at a time, and serves them all before the next ones.
private func carry<S: Service & ~Copyable>(
    _ total: UInt64, active: Int, of count: Int, by make: (Int) -> S
) throws -> Outcome {
    let fleet = Fleet(count: count)
    var service = make(count)
    var request = BlockRequest()
    var sum: UInt64 = 0
    try service.serve(fleet, &sum)
    let start = ContinuousClock.now
    for first in stride(from: 0, to: total, by: active) {
        for number in first..<first + UInt64(active) {
            let ring = fleet.ring(of: number)
            if fleet[ring].request(number, &request) == .required { service.event(on: ring) }
        }
        try service.serve(fleet, &sum)
        for number in first..<first + UInt64(active) {
            _ = try fleet[fleet.ring(of: number)].reap(&sum)
        }
    }
    return Outcome(sum: sum, amount: start.duration(to: .now) / .nanoseconds(1))
}

/// Looks at all rings.
private struct ScanningService: Service {
    let count: Int

    func event(on ring: Int) {}

    func serve(_ fleet: borrowing Fleet, _ sum: inout UInt64) throws(RingError) {
        for ring in 0..<count { _ = try fleet[ring].serve(atMost: 32, &sum) }
    }
}

/// Has a list of those that were notified.
private struct NotifiedService: Service {
    var notified: [Int] = []

    init(count: Int) { notified.reserveCapacity(count) }

    mutating func event(on ring: Int) { notified.append(ring) }

    mutating func serve(_ fleet: borrowing Fleet, _ sum: inout UInt64) throws(RingError) {
        for ring in notified { _ = try fleet[ring].serve(atMost: 32, &sum) }
        notified.removeAll(keepingCapacity: true)
    }
}

/// The scheduler, and a clock that stands still.
private struct ScheduledService: Service, ~Copyable {
    var scheduler: RingScheduler
    var now = Deadline.now
    private var ids: [RingID] = []

    init(count: Int) {
        scheduler = RingScheduler(now: now)
        for _ in 0..<count { ids.append(scheduler.add()) }
    }

    mutating func event(on ring: Int) { scheduler.event(on: ids[ring]) }

    mutating func serve(_ fleet: borrowing Fleet, _ sum: inout UInt64) throws(RingError) {
        repeat { _ = try turn(fleet, &sum) } while scheduler.activeCount > 0
    }

    /// Until events are to be collected. Returns how long to wait for them.
    mutating func turn(
        _ fleet: borrowing Fleet, _ sum: inout UInt64
    ) throws(RingError) -> Deadline {
        while true {
            switch scheduler.next(now: now) {
            case .serve(let id, let budget):
                scheduler.served(id, try fleet[id.place].serve(atMost: budget, &sum))
            case .check(let id):
                scheduler.checked(id, hasWork: try fleet[id.place].back.hasRequests())
            case .wait(let deadline):
                return deadline
            }
        }
    }
}

/// One request at a time through a ring whose front does not notify. The clock goes to when the scheduler wants to wake.
private func carrySilently(_ total: UInt64, of count: Int) throws -> Outcome {
    let fleet = Fleet(count: count)
    var service = ScheduledService(count: count)
    var request = BlockRequest()
    var sum: UInt64 = 0
    try service.serve(fleet, &sum)
    let start = ContinuousClock.now
    for number in 0..<total {
        _ = fleet[count / 2].request(number, &request)
        repeat {
            let deadline = try service.turn(fleet, &sum)
            service.now = max(service.now, deadline)
        } while try !fleet[count / 2].take(&sum)
    }
    return Outcome(sum: sum, amount: start.duration(to: .now) / .nanoseconds(1))
}
