#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// SIGTERM and SIGINT as a call on a thread, where everything may be done, instead of a signal handler.
package enum TerminationSignals {
    /// Calls `body` at the first of these signals; the second ends the process as usual.
    ///
    /// Call it before other threads are started: they inherit what is blocked here.
    package static func onFirst(_ body: @escaping @Sendable () -> Void) throws(SystemFailure) {
        setBlocked(true)
        let thread = try PlatformThread {
            var received: Int32 = 0
            // Safe: both are private to this thread, and of the types that sigwait fills.
            var signals = Self.signals
            guard unsafe sigwait(&signals, &received) == 0 else { return }
            setBlocked(false)
            body()
            // This thread takes the second one, with the default action.
            while true { _ = pause() }
        }
        _ = consume thread
    }

    private static var signals: sigset_t {
        var set = sigset_t()
        // Safe: `set` is private.
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGTERM)
        unsafe sigaddset(&set, SIGINT)
        return set
    }

    private static func setBlocked(_ isBlocked: Bool) {
        var set = signals
        // Safe: `set` is private, and the old mask is not asked for.
        _ = unsafe pthread_sigmask(isBlocked ? SIG_BLOCK : SIG_UNBLOCK, &set, nil)
    }
}
