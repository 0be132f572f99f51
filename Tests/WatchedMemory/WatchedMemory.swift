import CWatchedPages
import Dispatch
package import XenCore
package import XenSystem

/// Shared memory of which each access is seen before it happens, and in which a peer may change anything
/// between any two of them: the code under test is what ships, without a hook in it.
///
/// Only on x86-64 Linux. One is watched at a time in a process, by one thread; a second `watch` waits.
@safe
package final class WatchedMemory {
    /// One access by the code under test, by one instruction.
    package struct Access: Hashable, Sendable {
        /// The first byte that it touches.
        package let offset: Int
        package let isWrite: Bool
    }

    // Safe: written only in init, and unmapped in deinit.
    private let pages: UnsafeMutablePointer<cwatched_pages>

    /// What the code under test is given.
    package let view: SharedMemory
    /// The same bytes, for the peer: using it is no access.
    package let peer: SharedMemory

    /// - Parameter byteCount: whole pages.
    package init(byteCount: Int = Page.byteCount) throws(SystemFailure) {
        unsafe pages = .allocate(capacity: 1)
        guard unsafe cwatched_open(pages, byteCount) else {
            let failure = SystemFailure("watched pages")
            unsafe pages.deallocate()
            throw failure
        }
        // Safe: mapped until deinit; whoever uses the views keeps this object.
        unsafe view = SharedMemory(base: pages.pointee.watched, byteCount: byteCount)
        unsafe peer = SharedMemory(base: pages.pointee.behind, byteCount: byteCount)
    }

    deinit {
        unsafe cwatched_close(pages)
        unsafe pages.deallocate()
    }

    /// Runs `body`, and calls `observe` before each access that it makes to `view`.
    ///
    /// - Parameter observe: runs in a signal handler, but one that only accesses to `view` bring about.
    package func watch<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result, observe: (Access) -> Void
    ) throws(Failure) -> Result {
        turn.wait()
        defer { turn.signal() }
        return try withoutActuallyEscaping(observe) { observe throws(Failure) in
            var observer = observe
            return try unsafe withUnsafeMutablePointer(to: &observer) { observer throws(Failure) in
                // Safe: the handler is called between these two calls only.
                unsafe cwatched_begin(pages, tell, observer)
                defer { cwatched_end() }
                return try body()
            }
        }
    }
}

/// The signal handlers know one watch only.
private let turn = DispatchSemaphore(value: 1)

private func tell(_ context: UnsafeMutableRawPointer?, _ offset: Int, _ isWrite: Bool) {
    // Safe: `watch` passes the address of its observer.
    unsafe context?.assumingMemoryBound(to: ((WatchedMemory.Access) -> Void).self)
        .pointee(WatchedMemory.Access(offset: offset, isWrite: isWrite))
}
