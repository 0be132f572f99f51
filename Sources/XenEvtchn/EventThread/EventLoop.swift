import Synchronization
import XenCore
import XenSystem

/// What a port's handler is made of.
final class PortHandler: Sendable {
    let run: @Sendable (EventThread.Turn) -> EventThread.Outcome
    let poll: (@Sendable () -> Bool)?

    init(
        poll: (@Sendable () -> Bool)?,
        run: @escaping @Sendable (EventThread.Turn) -> EventThread.Outcome
    ) {
        self.poll = poll
        self.run = run
    }
}

/// An event thread's body: carries out what `PortScheduler` says. The thread keeps it alive, and so does `EventThread`.
final class EventLoop: Sendable {
    typealias State = EventLoopState

    let backend: any EventChannelBackend
    let ended = Completion()
    private let state: Mutex<State>
    /// Something may have changed since the spin began.
    private let isCalled = Atomic(false)
    private let thread = Atomic<UInt>(0)
    /// Wakes the thread once the handle is not used any more.
    private let signal = ThreadSignal()

    init(_ backend: any EventChannelBackend, _ scheduler: PortScheduler) {
        self.backend = backend
        state = Mutex(State(scheduler))
    }

    /// Whether the caller is the thread itself.
    var isCurrent: Bool { thread.load(ordering: .relaxed) == Processor.currentThread }

    /// Looks at the state from any thread.
    func read<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        state.withLock { body(&$0) }
    }

    /// Changes the state from any thread, and has the thread look at it.
    func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        let (result, call) = state.withLock { state in
            let result = body(&state)
            isCalled.store(true, ordering: .releasing)
            return (result, state.callIfParked())
        }
        switch call {
        case .interruption: backend.interrupt()
        case .signal: signal.signal()
        case nil: break
        }
        return result
    }

    /// Serves until it is ended, and runs jobs until it is abandoned.
    func run() {
        thread.store(Processor.currentThread, ordering: .relaxed)
        var report = State.Report.nothing
        while true {
            let advance = state.withLock { state in
                isCalled.store(false, ordering: .relaxed)
                return state.advance(after: report)
            }
            for told in advance.told { told.waiter.end(told.result) }
            for signal in advance.signals { signal.signal() }
            guard let step = advance.step else { break }
            do throws(EventChannelError) {
                report = try carryOut(step, advance)
            } catch {
                report = .failed(error)
            }
        }
        ended.complete()
        runJobsAfterEnd()
    }

    private func carryOut(
        _ step: PortScheduler.Step, _ advance: borrowing State.Advance
    ) throws(EventChannelError) -> State.Report {
        switch step {
        case .serve(let id, let turn):
            return .served(id, advance.handler?.run(turn) ?? .emptied(handled: 0))
        case .unmask(let id, let port):
            try backend.rearm(port)
            return .unmasked(id)
        case .runJobs(let limit):
            return .ranJobs(runJobs(atMost: limit))
        case .collect(let limit):
            try collect(atMost: limit)
            return .nothing
        case .spin(let budget):
            return try spin(for: budget, advance.pollers)
        case .park(let instant):
            let deadline = instant.map(Deadline.init(at:)) ?? .after(.seconds(3600))
            return .woke(try backend.nextPending(until: deadline))
        }
    }

    private func collect(atMost limit: Int) throws(EventChannelError) {
        for _ in 0..<limit {
            guard let port = try backend.nextPending(until: .now) else { return }
            state.withLock { $0.scheduler.rang(port) }
        }
    }

    /// Looks at rings, calls and events until one has something. Rings are looked at most: that costs least.
    private func spin(
        for budget: Duration, _ pollers: [State.Poller]
    ) throws(EventChannelError) -> State.Report {
        let start = ContinuousClock.now
        var looks = 0
        while true {
            if isCalled.load(ordering: .acquiring) { return .spun(start.duration(to: .now), .call) }
            for poller in pollers where poller.poll() {
                return .spun(start.duration(to: .now), .work(poller.id))
            }
            if pollers.isEmpty || looks % 8 == 0, let port = try backend.nextPending(until: .now) {
                return .spun(start.duration(to: .now), .event(port))
            }
            let elapsed = start.duration(to: .now)
            if elapsed >= budget { return .spun(elapsed, .nothing) }
            looks += 1
            Processor.pause()
        }
    }

    private func runJobs(atMost limit: Int) -> Int {
        var count = 0
        while count < limit, let job = state.withLock({ $0.jobs.popFirst() }) {
            run(job)
            count += 1
        }
        return count
    }

    private func runJobsAfterEnd() {
        while true {
            let (job, isOver) = state.withLock { state in
                (state.nextJobAfterEnd(), state.isAbandoned)
            }
            if let job {
                run(job)
            } else if isOver {
                return
            } else {
                signal.wait(until: nil)
            }
        }
    }

    /// Blocks until the thread has slept and been woken a few times, so that it knows what that costs.
    func measureWakes(_ count: Int) {
        let pause = ThreadSignal()
        for _ in 0..<count {
            let deadline = Deadline.after(.milliseconds(5))
            while !read({ $0.isParked }) && !deadline.hasPassed {
                pause.wait(until: .after(.microseconds(20)))
            }
            // It is about to sleep; let it.
            pause.wait(until: .after(.microseconds(50)))
            change { _ in }
        }
    }
}

// Jobs run as on any executor: the thread is one for actors, and one for tasks.
extension EventLoop: SerialExecutor, TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        change { $0.jobs.append(job) }
    }

    private func run(_ job: UnownedJob) {
        unsafe job.runSynchronously(
            isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }

    /// A handler is no job, but it runs on this thread, and so on the actor that has it as its executor.
    func checkIsolated() {
        precondition(isCurrent, "not on the event thread")
    }

    func isIsolatingCurrentContext() -> Bool? { isCurrent }
}
