import Synchronization
import XenCore
import XenStoreWire
import XenSystem

/// Carries the core: callers wait by continuation, and one thread waits for the server and the deadlines.
final class ClientConnection: Sendable {
    private let transport: any ByteTransport
    private let state: Mutex<ConnectionState>

    init(_ transport: any ByteTransport) {
        self.transport = transport
        state = Mutex(ConnectionState(payloadByteCountLimit: transport.payloadByteCountLimit))
    }

    var counters: ClientCounters { state.withLock { $0.core.counters } }

    /// Why the connection has ended, when it has.
    var end: StoreError? { state.withLock { $0.end } }

    // MARK: - For callers

    /// Sends a request and suspends until its reply, its deadline or the task's cancellation.
    func perform(
        _ request: Request, in transaction: TransactionID, until deadline: Deadline
    ) async throws(StoreError) -> [UInt8] {
        let packet = try locked { state throws(StoreError) in
            try state.begin(request, in: transaction)
        }
        let result = await withTaskCancellationHandler {
            await reply(to: packet, until: deadline)
        } onCancel: {
            withdraw(packet.requestID)
        }
        return try result.get()
    }

    /// Sends a request whose reply nobody waits for. Without a connection there is nothing to undo either.
    func performUnattended(_ request: Request, in transaction: TransactionID = .none) {
        state.withLock { $0.enqueueUnattended(request, in: transaction) }
        transmit()
    }

    func addWatch(_ path: StorePath, limit: Int) throws(StoreError) -> WatchToken {
        try locked { state throws(StoreError) in try state.addWatch(path, limit: limit) }
    }

    /// Drops a watch that the server never made.
    func forgetWatch(_ token: WatchToken) {
        state.withLock { _ = $0.core.removeWatch(token) }
    }

    /// Drops a watch, and takes it back from the server.
    func endWatch(_ token: WatchToken) {
        guard let request = state.withLock({ $0.core.removeWatch(token) }) else { return }
        performUnattended(request)
    }

    /// Suspends until a watch has an event, the deadline passes or the task is cancelled.
    func nextEvent(_ token: WatchToken, until deadline: Deadline?) async throws(StoreError)
        -> WatchEvent
    {
        let ticket = try locked { state throws(StoreError) in try state.beginWaiting(for: token) }
        let result = await withTaskCancellationHandler {
            await event(token, ticket, until: deadline)
        } onCancel: {
            let waiter = state.withLock { $0.endWaiting(for: token, ticket) }
            waiter?.resume(
                returning: .failure(StoreError(.cancelled, "the wait for an event was cancelled")))
        }
        return try result.get()
    }

    /// Ends the connection: whoever waits is told.
    func close(_ error: StoreError) {
        let ended = state.withLock { $0.close(error) }
        ended.resume()
        transport.close()
    }

    private func reply(to packet: Packet, until deadline: Deadline) async -> ReplyResult {
        await withCheckedContinuation { continuation in
            let accepted = state.withLock { $0.enqueue(packet, continuation, until: deadline) }
            switch accepted {
            case .rejected(let error): continuation.resume(returning: .failure(error))
            case .queued(let needsEarlierWake):
                transmit()
                if needsEarlierWake { transport.wake() }
            }
        }
    }

    private func event(
        _ token: WatchToken, _ ticket: UInt64, until deadline: Deadline?
    ) async -> EventResult {
        await withCheckedContinuation { continuation in
            let outcome = state.withLock {
                $0.wait(for: token, ticket, continuation, until: deadline)
            }
            switch outcome {
            case .ready(let result): continuation.resume(returning: result)
            case .waiting(let needsEarlierWake): if needsEarlierWake { transport.wake() }
            }
        }
    }

    private func withdraw(_ id: UInt32) {
        let waiter = state.withLock { $0.withdraw(id) }
        waiter?.resume(
            returning: .failure(
                StoreError(.cancelled, "the request was cancelled; it may have been carried out")))
    }

    private func locked<Result: Sendable>(
        _ body: (inout ConnectionState) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try state.withLock { state -> Swift.Result<Result, StoreError> in
            do throws(StoreError) { return .success(try body(&state)) } catch {
                return .failure(error)
            }
        }.get()
    }

    // MARK: - Bytes out

    /// Writes what waits: here, if that cannot block, or else in the connection's thread.
    private func transmit() {
        if transport.answersWrites || !flush() { transport.wake() }
    }

    /// Writes what fits now. False when something is left.
    private func flush() -> Bool {
        switch state.withLock({ $0.flush(to: transport) }) {
        case .done: return true
        case .blocked: return false
        case .failed(let error):
            close(error)
            return true
        }
    }

    /// Writes to a transport that takes one request at a time and may answer it with a refusal.
    private func transmitAndBlock() throws(StoreError) {
        while let packet = state.withLock({ $0.takeOutgoing() }) {
            do throws(StoreError) {
                while try transport.write(packet.bytes, from: 0) == 0 {
                    try transport.wait(forWriting: true, until: .after(.milliseconds(10)))
                }
            } catch {
                guard error.code == .refused else { throw error }
                state.withLock { $0.refuse(packet, error) }?.resume()
            }
        }
    }

    // MARK: - The thread

    /// Serves until the connection has ended.
    func run() {
        var buffer = [UInt8](repeating: 0, count: 16384)
        do throws(StoreError) {
            while let plan = state.withLock({ $0.plan(.now) }) {
                plan.expired.resume()
                if transport.answersWrites {
                    try transmitAndBlock()
                    try transport.wait(forWriting: false, until: plan.deadline)
                    try receive(&buffer)
                } else {
                    try transport.wait(forWriting: plan.hasOutgoing, until: plan.deadline)
                    try receive(&buffer)
                    _ = flush()
                }
            }
        } catch { close(error) }
    }

    private func receive(_ buffer: inout [UInt8]) throws(StoreError) {
        while let count = try transport.read(into: &buffer) {
            guard count > 0 else {
                throw StoreError(
                    .disconnected, "the store's server closed the connection; is it still running?")
            }
            let bytes = buffer[..<count]
            let arrived = try locked { state throws(StoreError) in try state.receive(bytes) }
            arrived.resume()
            if count < buffer.count { break }
        }
    }
}
