package import XenCore
import Synchronization

/// Something that happens once, and that tasks can wait for without blocking a thread.
package final class Completion: Sendable {
    private struct State {
        var isComplete = false
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Bool, Never>] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Whether it has happened.
    package var isComplete: Bool { state.withLock { $0.isComplete } }

    /// Lets it happen. Callable from any thread; only the first call does something.
    package func complete() {
        let waiters = state.withLock { state in
            state.isComplete = true
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume(returning: true) }
    }

    /// Suspends until it has happened or the deadline has passed.
    ///
    /// - Returns: whether it has happened.
    package func wait(until deadline: Deadline) async -> Bool {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let timer = Task {
            try? await Task.sleep(until: deadline.instant, clock: .continuous)
            state.withLock { $0.waiters.removeValue(forKey: waiter) }?.resume(returning: false)
        }
        defer { timer.cancel() }
        return await suspend(waiter, deadline)
    }

    private func suspend(_ waiter: Int, _ deadline: Deadline) async -> Bool {
        await withCheckedContinuation { continuation in
            let outcome: Bool? = state.withLock { state in
                if state.isComplete { return true }
                // The timer may have come and gone before there was a waiter to find.
                if deadline.hasPassed { return false }
                state.waiters[waiter] = continuation
                return nil
            }
            if let outcome { continuation.resume(returning: outcome) }
        }
    }
}
