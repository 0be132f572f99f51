import CSystem
import XenCore

/// SIGTERM, SIGINT and SIGHUP as a call on a thread, where everything may be done, instead of a signal handler.
package enum TerminationSignals {
    /// Calls `body` at the first of these signals; a second one ends the process as usual.
    package static func onFirst(_ body: @escaping @Sendable () -> Void) throws(SystemFailure) {
        let signalled = SharedWakeup(try Wakeup())
        guard csystem_signal_termination(signalled.wakeup.descriptor) == 0 else {
            throw SystemFailure("sigaction")
        }
        let thread = try PlatformThread {
            while let outcome = try? poll(
                [(signalled.wakeup.descriptor, .readable)], until: .after(.seconds(3600)))
            {
                if outcome.isReadable(0) { return body() }
            }
        }
        _ = consume thread
    }

    /// Kept by the thread for as long as a signal may come.
    private final class SharedWakeup: Sendable {
        let wakeup: Wakeup
        init(_ wakeup: consuming Wakeup) { self.wakeup = wakeup }
    }
}
