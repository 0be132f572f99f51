import Synchronization
import XenCore

/// What a device reports to its driver, as `DriverSignals` keeps it.
final class DriverReports: Sendable {
    private let failed = Mutex<Epoch?>(nil)

    var hasFailure: Bool { failed.withLock { $0 != nil } }

    func fail(_ epoch: Epoch) {
        failed.withLock { $0 = max($0 ?? epoch, epoch) }
    }

    /// Whether this epoch has failed. What older ones reported is dropped.
    func takeFailure(of epoch: Epoch) -> Bool {
        failed.withLock { failed in
            defer { failed = nil }
            return failed == epoch
        }
    }
}
