import CSystem
import Synchronization
package import XenCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Wakes one sleeping thread, without a descriptor. A signal that comes first is kept for the next wait.
@safe
package final class ThreadSignal: Sendable {
    // Safe to send: the word is only ever accessed atomically, and freed when nobody has this object any more.
    private nonisolated(unsafe) let word: UnsafeMutablePointer<Atomic<UInt32>>

    package init() {
        unsafe word = .allocate(capacity: 1)
        unsafe word.initialize(to: Atomic(0))
    }

    deinit {
        unsafe word.deinitialize(count: 1)
        unsafe word.deallocate()
    }

    /// Ends the wait that is under way or, if none is, the next one. Callable from any thread.
    package func signal() {
        // Release: its partner is the exchange in `wait`.
        guard unsafe word.pointee.exchange(1, ordering: .acquiringAndReleasing) == 0 else { return }
        // Safe: the word outlives the call, since `self` does.
        unsafe csystem_futex_wake(word)
    }

    /// Blocks until signalled or the deadline has passed. One thread waits at a time.
    ///
    /// - Parameter deadline: nil to wait for a signal only.
    /// - Returns: whether there was a signal.
    @discardableResult
    package func wait(until deadline: Deadline?) -> Bool {
        while true {
            if unsafe word.pointee.exchange(0, ordering: .acquiringAndReleasing) == 1 {
                return true
            }
            guard let deadline else {
                unsafe csystem_futex_wait(word, 0, nil)
                continue
            }
            let remaining = deadline.remaining
            guard remaining > .zero else { return false }
            let (seconds, attoseconds) = remaining.components
            var timeout = timespec(
                tv_sec: Int(min(seconds, 1_000_000)), tv_nsec: Int(attoseconds / 1_000_000_000))
            // Safe: the word outlives the call, and the kernel only reads the private time.
            unsafe csystem_futex_wait(word, 0, &timeout)
        }
    }
}
