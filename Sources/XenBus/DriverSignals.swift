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

    /// Makes hints of all watches' events for as long as `body` runs.
    func forward(_ watches: [StoreWatch], while body: () async throws -> Void) async throws {
        let tasks = watches.map { watch in Task { await forward(watch) } }
        defer { for task in tasks { task.cancel() } }
        try await body()
    }

    private func forward(_ watch: StoreWatch) async {
        do {
            for try await _ in watch { look() }
        } catch {
            report { $0.storeEnded = error }
        }
    }

    /// What was reported; each report is taken once.
    func take() -> Reports {
        reports.withLock { reports in
            defer {
                reports.failure = nil
                reports.closeExpired = false
            }
            return reports
        }
    }
}
