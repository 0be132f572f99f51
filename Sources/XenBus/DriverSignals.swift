import Synchronization
import XenCore
import XenStoreClient

/// What wakes a driver: hints that the store has changed, and reports that must not be lost.
///
/// Hints merge, since the driver reads everything again; reports are kept until they are taken.
final class DriverSignals: Sendable {
    /// What was reported since the driver looked last.
    struct Reports: Sendable {
        /// What broke, and in which epoch: with the next one it is over.
        var failure: (epoch: Epoch, error: any Error)?
        var wantsClose = false
        var wasResumed = false
        var closeExpired = false
        var storeEnded: (any Error)?
    }

    private let reports = Mutex(Reports())
    private let hints: AsyncStream<Void>.Continuation
    /// One element whenever there may be something to do.
    let wakes: AsyncStream<Void>

    init() {
        (wakes, hints) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        look()
    }

    /// The store may have changed.
    func look() { hints.yield() }

    func report(_ change: (inout Reports) -> Void) {
        reports.withLock { change(&$0) }
        look()
    }

    /// The device broke in this epoch. What an older one still has to say does not hide it.
    func fail(_ epoch: Epoch, _ error: any Error) {
        report { reports in
            if let earlier = reports.failure, earlier.epoch > epoch { return }
            reports.failure = (epoch, error)
        }
    }

    /// Makes a hint of each of a watch's events, until the task is cancelled.
    func follow(_ watch: StoreWatch) -> Task<Void, Never> {
        follow {
            _ = try await watch.next()
            self.look()
        }
    }

    /// Reports each resumption of our domain, until the task is cancelled.
    func follow(_ watch: ResumptionWatch) -> Task<Void, Never> {
        follow {
            try await watch.next()
            self.report { $0.wasResumed = true }
        }
    }

    private func follow(_ step: @escaping @Sendable () async throws -> Void) -> Task<Void, Never> {
        Task {
            do {
                while true { try await step() }
            } catch {
                if !Task.isCancelled { report { $0.storeEnded = error } }
            }
        }
    }

    /// What was reported; each report is taken once.
    func take() -> Reports {
        reports.withLock { reports in
            defer {
                reports.failure = nil
                reports.closeExpired = false
                reports.wasResumed = false
            }
            return reports
        }
    }
}
