import Synchronization
import XenSystem

/// The one lock of a hypervisor in memory.
///
/// A thread that is woken under it is signalled only when it has been let go. Signalled before, it may take the
/// processor from the one that holds the lock, only to wait for the lock: a wake then costs tenfold.
struct HypervisorLock: ~Copyable, Sendable {
    private let state = Mutex(HypervisorState())

    func withLock<Result, Failure>(
        _ body: (inout HypervisorState) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        var awoken: Doorbell?
        defer { awoken?.wakeup.signal() }
        return try state.withLock { (state) throws(Failure) in
            defer { awoken = state.awoken.take() }
            return try body(&state)
        }
    }
}

/// Whom the holder of the lock has woken. Safe to send: it is touched under the lock only.
final class AwokenSleepers: @unchecked Sendable {
    private var last: Doorbell?

    /// Keeps the last one for `take`, so that nothing is allocated; those before it are signalled at once.
    func add(_ doorbell: Doorbell) {
        last?.wakeup.signal()
        last = doorbell
    }

    func take() -> Doorbell? { last.take() }
}
