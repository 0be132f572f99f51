import XenCore

/// The events of an event thread's ports, in batches: what rang while the consumer was busy comes in one, with
/// one entry a port, so that a slow consumer costs no memory.
///
/// Ends when the thread is stopped or the task cancelled; throws what the handle died of. For one consumer.
public struct EventBatches: AsyncSequence, Sendable {
    let subscription: BatchSubscription

    public struct Iterator: AsyncIteratorProtocol {
        let subscription: BatchSubscription

        /// Suspends until a port has rung since the last batch.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(EventChannelError) -> EventBatch? {
            try await subscription.next()
        }
    }

    public func makeAsyncIterator() -> Iterator { Iterator(subscription: subscription) }
}

extension EventThread {
    /// The events of these ports, or of all, from now on.
    public func batches(of ports: Set<PortID>? = nil) -> EventBatches {
        let ticket = loop.read { $0.scheduler.subscribe(to: ports) }
        return EventBatches(subscription: BatchSubscription(ticket, loop))
    }
}

/// Notes events for a sequence for as long as somebody has it.
final class BatchSubscription: Sendable {
    private let ticket: UInt64
    private let loop: EventLoop

    init(_ ticket: UInt64, _ loop: EventLoop) {
        self.ticket = ticket
        self.loop = loop
    }

    deinit { loop.read { $0.scheduler.unsubscribe(ticket) } }

    private enum Look: Sendable { case batch(EventBatch), nothing, ended(EventChannelError) }

    func next() async throws(EventChannelError) -> EventBatch? {
        while !Task.isCancelled {
            let waiter = EventWaiter()
            let look: Look = loop.change { state in
                if let failure = state.failure { return .ended(failure) }
                return state.takeBatch(ticket, waiter).map(Look.batch) ?? .nothing
            }
            switch look {
            case .batch(let batch):
                // All its ports may have been closed since they rang.
                if !batch.isEmpty { return batch }
            case .ended(let failure): return try Self.end(failure)
            case .nothing:
                let result = await waiter.result()
                loop.read { $0.cancelBatch(ticket) }
                if case .failure(let failure) = result { return try Self.end(failure) }
            }
        }
        return nil
    }

    private static func end(_ failure: EventChannelError) throws(EventChannelError) -> EventBatch? {
        guard failure.code == .stopped || failure.code == .cancelled else { throw failure }
        return nil
    }
}
