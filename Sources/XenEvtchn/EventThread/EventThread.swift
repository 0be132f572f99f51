public import XenCore
import XenSystem

/// One thread that waits for all ports of a handle, serves them, and runs the actors that belong to it.
///
/// It spins while that pays, arms the rings, and sleeps (docs/event-thread.md says how it decides). A handler has
/// bounded turns; 'handle, unmask, look again' is the thread's business and cannot be forgotten. Actors that name
/// it as their executor run on it without a hop, and a handler `on:` such an actor is a plain call:
///
///     actor Driver {
///         let thread: EventThread                       // keeps the executor alive
///         nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
///
///         func begin(_ channel: consuming EventChannel) throws {
///             self.channel = try thread.serve(channel, on: self) { driver, turn in driver.drain(turn) }
///         }
///     }
///
/// While it runs, nobody else waits on its handle. Every call may be made from any thread; handlers and jobs
/// must not block. When the last reference goes, it stops.
public final class EventThread: Sendable {
    let loop: EventLoop

    /// Starts a thread that waits on this handle.
    ///
    /// Blocks for about a millisecond, to measure what a wake costs on this machine, where spinning is possible.
    /// Throws `.limitReached` when the system has no thread left.
    public static func start(
        on events: EventChannels, limits: Limits = Limits()
    ) throws(EventChannelError) -> EventThread {
        let processorCount = Processor.availableCount
        let policy = SpinPolicy(processorCount: processorCount, longest: limits.longestSpin)
        let loop = EventLoop(events.backend, PortScheduler(limits: limits, policy: policy))
        do {
            let thread = try PlatformThread { loop.run() }
            // Not joined: it ends by itself, and may be the one that drops the last reference.
            _ = consume thread
        } catch {
            throw EventChannelError(
                .limitReached, errorNumber: error.errorNumber, "a thread for events: \(error.call)")
        }
        if limits.longestSpin > .zero && processorCount > 1 { loop.measureWakes(3) }
        return EventThread(loop)
    }

    private init(_ loop: EventLoop) { self.loop = loop }

    deinit {
        loop.change { state in
            state.end(with: Self.stopped)
            state.isAbandoned = true
        }
    }

    /// Why it does not serve any more: `.stopped`, or what its handle died of. Nil while it serves.
    public var failure: EventChannelError? { loop.read { $0.failure } }

    public var counters: Counters {
        loop.read { state in
            var counters = state.scheduler.counters
            counters.wakeCost = state.scheduler.policy.wakeCost
            return counters
        }
    }

    /// Nil once the port was closed.
    public func counters(of id: PortID) -> PortCounters? {
        loop.read { $0.scheduler.counters(of: id) }
    }

    static let stopped = EventChannelError(.stopped, "the event thread was stopped")
}

// Serving.
extension EventThread {
    /// Lets `handler` handle what comes in on this channel. It is called on the thread: at once, since the peer may
    /// have rung before; then whenever the port has rung.
    ///
    /// - Parameters:
    ///   - channel: of the handle that this thread waits on.
    ///   - poll: whether there is work in the ring, as cheaply as can be: it is called again and again while
    ///     the thread spins, so that what a peer writes is seen without an event.
    ///   - handler: handles about `turn.budget` messages, and says how that ended.
    ///
    /// Throws what the thread has ended with; the channel is closed then.
    public func serve(
        _ channel: consuming EventChannel, poll: (@Sendable () -> Bool)? = nil,
        handler: @escaping @Sendable (_ turn: Turn) -> Outcome
    ) throws(EventChannelError) -> ServedChannel {
        try add(channel, PortHandler(poll: poll, run: handler))
    }

    /// The same with a handler that runs on an actor, which has to name this thread as its executor.
    ///
    /// The thread does not keep the actor alive. Once the actor has gone, its handler is not called any more.
    public func serve<Driver: Actor>(
        _ channel: consuming EventChannel, on driver: Driver,
        poll: (@Sendable (isolated Driver) -> Bool)? = nil,
        handler: @escaping @Sendable (_ driver: isolated Driver, _ turn: Turn) -> Outcome
    ) throws(EventChannelError) -> ServedChannel {
        // Safe: a function isolated to an actor is called as any other, with the actor as an argument; both are only
        // called on this thread, and the first turn makes sure that the actor is isolated there. This is what
        // `assumeIsolated` does, but it allocates at each call.
        let handle = unsafe unsafeBitCast(
            handler, to: (@Sendable (Driver, Turn) -> Outcome).self)
        let look = poll.map { unsafe unsafeBitCast($0, to: (@Sendable (Driver) -> Bool).self) }
        let pollDriver = look.map { look in
            { @Sendable [weak driver] () -> Bool in driver.map { look($0) } ?? false }
        }
        return try add(
            channel,
            PortHandler(poll: pollDriver) { [weak driver] turn in
                guard let driver else { return .emptied(handled: 0) }
                driver.preconditionIsolated("the actor names another executor than this thread")
                return handle(driver, turn)
            })
    }

    /// Takes in a channel without a handler, for those who `wait(for:after:until:)` or iterate over `batches(of:)`.
    /// The thread unmasks it as it rings. Throws what the thread has ended with; the channel is closed then.
    public func watch(_ channel: consuming EventChannel) throws(EventChannelError) -> ServedChannel
    {
        try add(channel, nil)
    }

    private func add(
        _ channel: consuming EventChannel, _ handler: PortHandler?
    ) throws(EventChannelError) -> ServedChannel {
        precondition(
            channel.backend === loop.backend, "this channel is of another handle than the thread")
        let port = channel.port
        let added: Result<(id: PortID, former: PortHandler?), EventChannelError> = loop.change {
            state in
            if let failure = state.failure { return .failure(failure) }
            return .success(state.add(port, handler))
        }
        return ServedChannel(
            registration: PortRegistration(id: try added.get().id, loop: loop), channel: channel)
    }
}

// Ending.
extension EventThread {
    /// Ends the serving: handlers and waits end, the handle is let go of. Jobs of actors go on running.
    ///
    /// - Parameter deadline: how long to wait for a handler's turn that is under way.
    ///
    /// Throws `.timedOut` when that turn is not over by then; it ends thereafter.
    public func stop(until deadline: Deadline) async throws(EventChannelError) {
        loop.change { $0.end(with: Self.stopped) }
        guard await loop.ended.wait(until: deadline) else { throw Self.lateEnd }
    }

    /// The same, blocking the caller, which must not be this thread.
    public func stopBlocking(until deadline: Deadline) throws(EventChannelError) {
        precondition(!loop.isCurrent, "the thread cannot wait for itself")
        let ended = ThreadSignal()
        let isEnding = loop.change { state in
            state.end(with: Self.stopped)
            return state.awaitEnd(ended)
        }
        guard !isEnding || ended.wait(until: deadline) else { throw Self.lateEnd }
    }

    private static let lateEnd = EventChannelError(
        .timedOut, "a handler on the event thread did not return in time: it must not block")
}

extension EventThread: SerialExecutor, TaskExecutor {
    public func enqueue(_ job: consuming ExecutorJob) { loop.enqueue(job) }

    /// Keep the thread for as long as an actor names this.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        // Safe: whoever names an executor keeps it alive, as the comment above says.
        unsafe loop.asUnownedSerialExecutor()
    }

    public func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        // Safe: a task keeps the executor that it prefers.
        unsafe loop.asUnownedTaskExecutor()
    }

    public func checkIsolated() { loop.checkIsolated() }

    public func isIsolatingCurrentContext() -> Bool? { loop.isCurrent }
}
