import XenCore
import XenRing

#if LibXen
    import CRing
#endif

extension Row {
    static var notifications: Row {
        Row(
            name: "notify",
            summary:
                "how often two ends that sleep when they can wake each other, for one fixed order of their "
                + "steps; a wake costs the one a system call, and the other two: read the event, unmask its port",
            contests: {
                Counted.allCases.flatMap { counted in
                    [1, 4, 16].flatMap { pages in
                        [1, 8, 32].map { notificationContest(counted, pages: pages, batch: $0) }
                    }
                }
            })
    }
}

private enum Counted: String, CaseIterable {
    case notifications
    case systemCalls = "system calls"

    func amount(_ counts: Counts) -> Double {
        let (notifications, wakes) = (Double(counts.notifications), Double(counts.wakes))
        return self == .notifications ? notifications : notifications + 2 * wakes
    }
}

private struct Counts {
    var (notifications, wakes, sum): (UInt64, UInt64, UInt64) = (0, 0, 0)
}

private func notificationContest(_ counted: Counted, pages: Int, batch: UInt64) -> Contest {
    func contender(
        _ name: String, bar: Bar?, _ run: @escaping (SharedMemory, UInt64) throws -> Counts
    ) -> Contender {
        Contender(name: name, bar: bar) { total in
            try withRingMemory(byteCount: pages * Page.byteCount) { memory in
                let counts = try run(memory, total)
                return Outcome(sum: counts.sum, amount: counted.amount(counts))
            }
        }
    }
    var peers: [Contender] = []
    #if LibXen
        peers.append(
            contender("C (ring.h)", bar: .equal) { memory, total in
                let counts = unsafe cring_twin_notifications(
                    memory.baseAddress, memory.byteCount, batch, total)
                return Counts(
                    notifications: counts.notifications, wakes: counts.wakes, sum: counts.sum)
            })
    #endif
    return Contest(
        name: "\(32 * pages) slots, batch \(batch)",
        measure: .count(of: counted.rawValue, per: "request", in: 1 << 16),
        ours: contender("ours", bar: nil) { memory, total in
            try runSchedule(total, batch: batch, through: memory)
        }, peers: peers)
}

/// The schedule's numbers (Marsaglia's xorshift).
private struct Numbers {
    private var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

private struct Sleeper {
    var isAsleep = false
    var isRung = false

    var sleepsOn: Bool { isAsleep && !isRung }

    /// Wakes up if it was notified, and counts that.
    mutating func wake(_ wakes: inout UInt64) {
        guard isAsleep else { return }
        wakes += 1
        self = Sleeper()
    }
}

/// What `cring_twin_notifications` does, through our rings.
private func runSchedule(
    _ total: UInt64, batch: UInt64, through memory: SharedMemory
) throws -> Counts {
    var front = FrontRing<BlockRequest, BlockResponse>(initializing: memory)
    var back = BackRing<BlockRequest, BlockResponse>(attachingTo: memory)
    var (frontSleeper, backSleeper) = (Sleeper(), Sleeper())
    var (numbers, counts) = (Numbers(), Counts())
    var request = BlockRequest()
    var (sent, received): (UInt64, UInt64) = (0, 0)
    while received < total {
        let number = numbers.next()
        if frontSleeper.sleepsOn && backSleeper.sleepsOn { throw LostWakeUp() }
        if number & 1 == 1 {
            if frontSleeper.sleepsOn { continue }
            frontSleeper.wake(&counts.wakes)
            for _ in 0..<batch where sent < total {
                request.id = sent
                request.sector = 8 &* sent
                guard front.push(request) else { break }
                sent += 1
            }
            if front.publish() == .required {
                counts.notifications += 1
                backSleeper.isRung = true
            }
            received += UInt64(try front.drain { counts.sum &+= $0.id &+ UInt64($0.operation) })
            frontSleeper.isAsleep = sent == total || front.freeSlotCount == 0
        } else {
            if backSleeper.sleepsOn { continue }
            backSleeper.wake(&counts.wakes)
            for _ in 0..<(1 + (number >> 1) % batch) {
                guard let request = try back.next() else {
                    backSleeper.isAsleep = true
                    break
                }
                counts.sum &+= request.sector &+ UInt64(request.segments[10].reference)
                back.push(BlockResponse(id: request.id, operation: request.operation))
            }
            if back.publish() == .required {
                counts.notifications += 1
                frontSleeper.isRung = true
            }
        }
    }
    return counts
}

private struct LostWakeUp: Error {}
