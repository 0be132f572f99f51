import Synchronization
import XenCore
import XenSystem

/// One wait of one thread or task. Whoever ends it first decides its result, and does so at once.
final class EventWaiter: Sendable {
    typealias Reason = PortScheduler.Woken.Reason
    typealias Result = Swift.Result<Reason, EventChannelError>

    private enum State: Sendable {
        case waiting
        case suspended(CheckedContinuation<Result, Never>)
        case over(Result)
    }

    private let state = Mutex(State.waiting)
    private let signal = ThreadSignal()

    /// Ends the wait. Only the first call counts.
    func end(_ result: Result) {
        let continuation = state.withLock { state -> CheckedContinuation<Result, Never>? in
            switch state {
            case .waiting:
                state = .over(result)
                return nil
            case .suspended(let continuation):
                state = .over(result)
                return continuation
            case .over: return nil
            }
        }
        continuation?.resume(returning: result)
        signal.signal()
    }

    /// Suspends until the wait is over. A cancelled task's wait is over at once.
    func result() async -> Result {
        await withTaskCancellationHandler {
            await suspend()
        } onCancel: {
            end(.failure(EventChannelError(.cancelled, "the task that waited was cancelled")))
        }
    }

    private func suspend() async -> Result {
        await withCheckedContinuation { continuation in
            let result = state.withLock { state -> Result? in
                if case .over(let result) = state { return result }
                state = .suspended(continuation)
                return nil
            }
            if let result { continuation.resume(returning: result) }
        }
    }

    /// Blocks until the wait is over; ends it as timed out when the deadline has passed.
    func blockingResult(until deadline: Deadline) -> Result {
        if !signal.wait(until: deadline) { end(.success(.timedOut)) }
        return state.withLock { state in
            guard case .over(let result) = state else { return .success(.timedOut) }
            return result
        }
    }
}
