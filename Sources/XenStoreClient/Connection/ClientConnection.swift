import Synchronization
import XenCore
import XenStoreWire
import XenSystem

/// Carries the core: callers wait by continuation, and one thread waits for the server and the deadlines.
final class ClientConnection: Sendable {
    let connector: any StoreConnector
    let state: Mutex<ConnectionState>
    /// Ends the thread's pause between two connections.
    let idle: Wakeup

    /// Makes the first connection, which may block until the deadline. Throws as the connector, or `.unavailable`.
    init(
        _ connector: any StoreConnector, _ core: ClientCore, until deadline: Deadline
    ) throws(StoreError) {
        do { idle = try Wakeup() } catch {
            throw StoreError(.unavailable, "no descriptor left to wake a thread with: \(error)")
        }
        self.connector = connector
        var state = ConnectionState(core)
        state.adopt(try connector.firstConnection(until: deadline, core.policy), now: .now)
        self.state = Mutex(state)
    }

    var counters: ClientCounters { state.withLock { $0.core.counters } }
    var end: StoreError? { state.withLock { $0.core.end } }
    var epoch: Epoch { state.withLock { $0.core.epoch } }

    // MARK: - Requests

    /// Sends a request and suspends until its reply, its deadline or the task's cancellation.
    func perform(
        _ request: Request, in scope: TransactionScope, until deadline: Deadline
    ) async throws(StoreError) -> [UInt8] {
        let handle = try locked { state throws(StoreError) in
            try state.core.reserve(request, in: scope, until: deadline)
        }
        return try await reply(to: handle).get().payload
    }

    /// Starts a transaction, which belongs to the epoch in which its reply came.
    func startTransaction(until deadline: Deadline) async throws(StoreError) -> TransactionScope {
        let handle = try locked { state throws(StoreError) in
            try state.core.reserve(.transactionStart, until: deadline)
        }
        return try await reply(to: handle).get().transaction
    }

    /// Sends a request whose reply nobody waits for. Without its connection there is nothing to undo either.
    func tidyUp(_ request: Request, in scope: TransactionScope) {
        transmit { $0.core.tidyUp(request, in: scope, until: .after($0.core.patience)) }
    }

    private func reply(to handle: RequestHandle) async -> ReplyResult {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let result = transmit { $0.submit(handle, continuation) }
                if let result { continuation.resume(returning: result) }
            }
        } onCancel: {
            transmit { $0.withdraw(handle, now: .now) }.resume()
        }
    }

    // MARK: - Watches

    /// Sets a watch. Throws as `perform`.
    func addWatch(
        _ path: StorePath, depth: UInt32?, limit: Int, until deadline: Deadline
    ) async throws(StoreError) -> WatchID {
        let (id, handle) = try locked { state throws(StoreError) in
            try state.core.addWatch(path, depth: depth, limit: limit, until: deadline)
        }
        do {
            _ = try await reply(to: handle).get()
            return id
        } catch {
            endWatch(id)
            throw error
        }
    }

    /// Drops a watch, and takes it back from the server.
    func endWatch(_ id: WatchID) { transmit { $0.core.removeWatch(id, now: .now) } }

    /// Suspends until a watch has an event, the deadline passes or the task is cancelled.
    func nextEvent(_ id: WatchID, until deadline: Deadline) async throws(StoreError) -> WatchEvent {
        let ticket = try locked { state throws(StoreError) in
            try state.beginWaiting(for: id, until: deadline)
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                suspend(continuation) { $0.wait(for: id, ticket, until: deadline, continuation) }
            }
        } onCancel: {
            let waiter = state.withLock {
                $0.events.isReserved(id, ticket) ? $0.events.remove(id) : nil
            }
            waiter?.resume(
                returning: .failure(StoreError(.cancelled, "the wait for an event was cancelled")))
        }
        return try result.get()
    }

    /// Suspends until there is a connection of a later epoch, the deadline passes or the task is cancelled.
    func nextEpoch(after last: Epoch, until deadline: Deadline) async throws(StoreError) -> Epoch {
        let wait = state.withLock { $0.beginWaiting(forEpochAfter: last, until: deadline) }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                suspend(continuation) { $0.wait(for: wait, until: deadline, continuation) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.epochs.remove(wait) }
            waiter?.resume(
                returning: .failure(StoreError(.cancelled, "the wait for an epoch was cancelled")))
        }
        return try result.get()
    }

    /// Resumes at once what need not wait; else sees to it that the thread minds the deadline.
    private func suspend<Value>(
        _ continuation: CheckedContinuation<Result<Value, StoreError>, Never>,
        _ wait: (inout ConnectionState) -> ConnectionState.Outcome<Value>
    ) {
        let (outcome, mustWake) = state.withLock { (wait(&$0), $0.needsEarlierWake()) }
        if mustWake { wakeThread() }
        if case .ready(let result) = outcome { continuation.resume(returning: result) }
    }

    // MARK: - Locking and waking

    private func locked<Value: Sendable>(
        _ body: (inout ConnectionState) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        try state.withLock { state -> Result<Value, StoreError> in
            do throws(StoreError) { return .success(try body(&state)) } catch {
                return .failure(error)
            }
        }.get()
    }

    /// Changes the state, then writes what waits: here, as far as that does not block, and else in the thread.
    ///
    /// While many requests are under way, others are likely to follow at once: then a task writes for all of them.
    @discardableResult
    private func transmit<Value: Sendable>(
        _ change: (inout ConnectionState) -> sending Value
    ) -> Value {
        let (value, next) = state.withLock { state -> (Value, ConnectionState.Transmission) in
            let value = change(&state)
            return (value, state.transmit())
        }
        finish(next)
        return value
    }

    private func finish(_ transmission: ConnectionState.Transmission) {
        if transmission.mustWake { wakeThread() }
        if transmission.mustGather {
            Task { finish(state.withLock { $0.transmitGathered() }) }
        }
    }

    func wakeThread() {
        if let link = state.withLock({ $0.link }) { link.transport.wake() } else { idle.signal() }
    }

    /// Ends the connection for good: whoever waits is told.
    func close(_ error: StoreError) {
        let (transport, ended) = state.withLock { ($0.finish(error), $0.news()) }
        ended.resume()
        transport?.close()
        idle.signal()
    }

    /// Gives a connection up. Another may follow.
    func lose(_ epoch: Epoch, _ error: StoreError) {
        let (transport, ended) = state.withLock { ($0.lose(epoch, error, now: .now), $0.news()) }
        ended.resume()
        transport?.close()
    }
}
