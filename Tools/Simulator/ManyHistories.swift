import Histories
import Synchronization
import XenSystem
import XenTesting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Histories of consecutive seeds, played by as many threads as there are processors.
final class ManyHistories: Sendable {
    private struct Totals {
        var next: UInt64
        var failed: UInt64?
        var historyCount = 0
        var stepCount = 0
        var choiceCount = 0
        var duration = Duration.zero
    }

    /// Puts a thread into an array.
    private final class Worker {
        private var thread: PlatformThread?
        init(_ body: @escaping @Sendable () -> Void) throws { thread = try PlatformThread(body) }
        func join() { thread.take()?.join() }
    }

    private let kinds: [SimulatedHistory]
    private let end: UInt64
    private let totals: Mutex<Totals>
    private let start = ContinuousClock.now

    init(of kinds: [SimulatedHistory], first: UInt64, count: UInt64) {
        self.kinds = kinds
        end = first + count
        totals = Mutex(Totals(next: first))
    }

    /// Plays until all are played or one has failed, which is returned shrunk.
    func play() throws -> FailedHistory? {
        try HistoriesInPlay.watch()
        let count = min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), HistoriesInPlay.threadLimit)
        let workers = try (0..<max(1, count)).map { thread in
            try Worker { [self] in work(on: thread) }
        }
        for worker in workers { worker.join() }
        guard let seed = totals.withLock({ $0.failed }) else { return nil }
        return Histories.history(of: seed, among: kinds).shrunk(seed: seed)
    }

    var summary: String {
        totals.withLock { totals in
            """
            xen-sim: \(totals.historyCount) histories, \(totals.choiceCount) faults and steps of \
            work, \(totals.stepCount) steps of parties, \(totals.duration) of virtual time in \
            \(start.duration(to: .now))
            """
        }
    }

    private func work(on thread: Int) {
        while let seed = next() {
            HistoriesInPlay.begin(seed, on: thread)
            let outcome = Histories.history(of: seed, among: kinds).run(seed: seed)
            totals.withLock { totals in
                totals.historyCount += 1
                totals.stepCount += outcome.stepCount
                totals.choiceCount += outcome.taken.count
                totals.duration += outcome.duration
                // The lowest, so that it is the same in each run.
                if outcome.failure != nil { totals.failed = min(totals.failed ?? seed, seed) }
            }
            HistoriesInPlay.end(on: thread)
        }
    }

    private func next() -> UInt64? {
        totals.withLock { totals in
            guard totals.next < end, totals.failed == nil else { return nil }
            defer { totals.next += 1 }
            return totals.next
        }
    }
}
