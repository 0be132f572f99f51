public import XenCore

// Waiting for a port from elsewhere.
extension EventThread {
    /// How often this port has become able to ring again, which is after each of its events.
    ///
    /// Read it before looking at what the peer writes; if there is nothing, wait after it: what the peer writes
    /// between the look and the wait is not missed. Throws `.badPort` once the port was closed.
    public func activationCount(of id: PortID) throws(EventChannelError) -> UInt64 {
        guard let count = loop.read({ $0.scheduler.activationCount(of: id) }) else {
            throw Self.closed
        }
        return count
    }

    /// Suspends until the port's activation count exceeds `count`.
    ///
    /// - Returns: the new count.
    ///
    /// Throws `.timedOut` when the deadline has passed, `.cancelled` as soon as the task is cancelled,
    /// `.badPort` when the port is closed, and what the thread ends with.
    public func wait(
        for id: PortID, after count: UInt64, until deadline: Deadline
    ) async throws(EventChannelError) -> UInt64 {
        let waiter = EventWaiter()
        switch try begin(waiter, id, count, deadline) {
        case .over(let reason): return try Self.count(reason)
        case .waiting(let ticket):
            let result = await waiter.result()
            return try end(ticket, id, result)
        }
    }

    /// The same, blocking the caller, which must not be this thread.
    public func waitBlocking(
        for id: PortID, after count: UInt64, until deadline: Deadline
    ) throws(EventChannelError) -> UInt64 {
        precondition(!loop.isCurrent, "the thread cannot wait for itself")
        let waiter = EventWaiter()
        switch try begin(waiter, id, count, deadline) {
        case .over(let reason): return try Self.count(reason)
        case .waiting(let ticket):
            return try end(ticket, id, waiter.blockingResult(until: deadline))
        }
    }

    private func begin(
        _ waiter: EventWaiter, _ id: PortID, _ count: UInt64, _ deadline: Deadline
    ) throws(EventChannelError) -> PortScheduler.WaitStart {
        let start: Result<PortScheduler.WaitStart, EventChannelError> = loop.change { state in
            if let failure = state.failure { return .failure(failure) }
            return .success(state.wait(for: id, after: count, until: deadline, waiter))
        }
        return try start.get()
    }

    private func end(
        _ ticket: UInt64, _ id: PortID, _ result: EventWaiter.Result
    ) throws(EventChannelError) -> UInt64 {
        loop.read { $0.cancelWait(ticket, for: id) }
        return try Self.count(try result.get())
    }

    private static func count(
        _ reason: PortScheduler.Woken.Reason
    ) throws(EventChannelError) -> UInt64 {
        switch reason {
        case .activated(let count): return count
        case .timedOut:
            throw EventChannelError(.timedOut, "the port did not ring before the deadline")
        case .closed: throw closed
        }
    }

    private static let closed = EventChannelError(.badPort, "the port was closed")
}
