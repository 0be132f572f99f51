import XenCore
import XenSystem

/// What the thread and its callers share, under one lock. It calls nobody: what has to be told comes back as values.
struct EventLoopState: Sendable {
    typealias PortID = EventThread.PortID

    enum Phase: Hashable, Sendable {
        case serving
        /// To be ended by the thread, for this reason.
        case ending(EventChannelError)
        /// The handle is not used any more. Jobs still run.
        case ended(EventChannelError)
    }

    /// What the thread calls outside the lock, and what must not go while it does.
    enum Busy: Hashable, Sendable { case no, serving(PortID), spinning }

    /// How a sleeping thread is woken.
    enum Call { case interruption, signal }

    struct Poller: Sendable {
        let id: PortID
        let poll: @Sendable () -> Bool
    }

    var scheduler: PortScheduler
    var jobs = JobQueue()
    private(set) var phase = Phase.serving
    /// Nobody can give it jobs any more.
    var isAbandoned = false

    private var handlers: [PortHandler?] = []
    private var pollers: [Poller] = []
    private var waiters: [UInt64: EventWaiter] = [:]
    private(set) var isParked = false
    /// When the sleeping thread was called, to learn what a wake costs.
    private var calledAt: ContinuousClock.Instant?
    private var busy = Busy.no
    /// Threads that wait until the handler which they have removed is not running any more.
    private var leavers: [ThreadSignal] = []
    /// Threads that wait for the end.
    private var mourners: [ThreadSignal] = []

    init(_ scheduler: PortScheduler) { self.scheduler = scheduler }

    /// Why it has ended, or is about to; nil while it serves.
    var failure: EventChannelError? {
        switch phase {
        case .serving: nil
        case .ending(let error), .ended(let error): error
        }
    }

    /// What to call if the thread sleeps; nil when it is awake, or has been called already.
    mutating func callIfParked() -> Call? {
        guard isParked else { return nil }
        isParked = false
        calledAt = .now
        if case .ended = phase { return .signal } else { return .interruption }
    }
}

// Ports and waits, from any thread.
extension EventLoopState {
    /// - Returns: what it is known by, and the handler, to be released outside the lock, that was in this place.
    mutating func add(
        _ port: EventPort, _ handler: PortHandler?
    ) -> (id: PortID, former: PortHandler?) {
        let id = scheduler.add(port, hasHandler: handler != nil, hasPoll: handler?.poll != nil)
        while handlers.count <= Int(id.index) { handlers.append(nil) }
        let former = handlers[Int(id.index)]
        pollers.removeAll { $0.id.index == id.index }
        if let poll = handler?.poll { pollers.append(Poller(id: id, poll: poll)) }
        handlers[Int(id.index)] = handler
        return (id, former)
    }

    /// Who has to be told, what has to be released outside the lock, and whether to wait for `leaver`.
    struct Removal: Sendable {
        var told: [Told] = []
        var handler: PortHandler?
        var mustWait = false
    }

    mutating func remove(_ id: PortID, leaver: ThreadSignal?) -> Removal {
        var removal = Removal()
        if scheduler.remove(id) {
            removal.handler = handlers[Int(id.index)].take()
            pollers.removeAll { $0.id == id }
            removal.told = takeTold()
        }
        if let leaver, busy == .serving(id) || busy == .spinning {
            leavers.append(leaver)
            removal.mustWait = true
        }
        return removal
    }

    mutating func wait(
        for id: PortID, after count: UInt64, until deadline: Deadline, _ waiter: EventWaiter
    ) -> PortScheduler.WaitStart {
        let start = scheduler.wait(for: id, after: count, until: deadline.instant)
        if case .waiting(let ticket) = start { waiters[ticket] = waiter }
        return start
    }

    mutating func cancelWait(_ ticket: UInt64, for id: PortID) {
        waiters[ticket] = nil
        scheduler.cancelWait(ticket, for: id)
    }

    /// The next batch; nil if `waiter` is told when there is one.
    mutating func takeBatch(_ ticket: UInt64, _ waiter: EventWaiter) -> EventBatch? {
        precondition(waiters[ticket] == nil, "one task at a time iterates over a sequence")
        if let batch = scheduler.takeBatch(ticket) { return batch }
        waiters[ticket] = waiter
        return nil
    }

    mutating func cancelBatch(_ ticket: UInt64) { waiters[ticket] = nil }

    mutating func end(with error: EventChannelError) {
        if phase == .serving { phase = .ending(error) }
    }

    /// - Returns: false if it has ended already, so that there is nothing to wait for.
    mutating func awaitEnd(_ mourner: ThreadSignal) -> Bool {
        if case .ended = phase { return false }
        mourners.append(mourner)
        return true
    }
}

// The thread's own steps.
extension EventLoopState {
    /// What a step has come to.
    enum Report {
        case nothing
        case served(PortID, EventThread.Outcome)
        case unmasked(PortID)
        case ranJobs(Int)
        case spun(Duration, Found)
        case woke(EventPort?)
        case failed(EventChannelError)
    }

    enum Found { case nothing, call, event(EventPort), work(PortID) }

    /// A waiter, and what it is told.
    struct Told: Sendable {
        let waiter: EventWaiter
        let result: EventWaiter.Result
    }

    /// What to do next, and whom to tell first.
    struct Advance: Sendable {
        /// Nil: it has ended.
        var step: PortScheduler.Step?
        var handler: PortHandler?
        var pollers: [Poller] = []
        var told: [Told] = []
        /// Threads whose wait is over.
        var signals: [ThreadSignal] = []
        /// To be released outside the lock.
        var released: [PortHandler?] = []
    }

    mutating func advance(after report: Report) -> Advance {
        take(report)
        busy = .no
        var advance = Advance()
        swap(&advance.signals, &leavers)
        guard case .serving = phase else {
            finish(&advance)
            return advance
        }
        let step = scheduler.next(hasJobs: !jobs.isEmpty) { .now }
        advance.step = step
        advance.told = takeTold()
        switch step {
        case .serve(let id, _):
            advance.handler = handlers[Int(id.index)]
            busy = .serving(id)
        case .spin:
            advance.pollers = pollers
            busy = .spinning
        case .park: isParked = true
        case .unmask, .runJobs, .collect: break
        }
        return advance
    }

    private mutating func take(_ report: Report) {
        switch report {
        case .nothing: break
        case .served(let id, let outcome): scheduler.served(id, outcome) { .now }
        case .unmasked(let id): scheduler.unmasked(id)
        case .ranJobs(let count): scheduler.ranJobs(count)
        case .spun(let duration, let found): spun(duration, found)
        case .woke(let port):
            awoke()
            if let port { scheduler.rang(port) }
        case .failed(let error):
            isParked = false
            if error.code == .overflow { scheduler.overflowed() } else { end(with: error) }
        }
    }

    private mutating func spun(_ duration: Duration, _ found: Found) {
        switch found {
        case .nothing: scheduler.spun(for: duration, foundWork: false)
        case .call: scheduler.spun(for: duration, foundWork: !jobs.isEmpty)
        case .event(let port):
            scheduler.spun(for: duration, foundWork: true)
            scheduler.rang(port)
        case .work(let id):
            scheduler.spun(for: duration, foundWork: true)
            scheduler.polled(id)
        }
    }

    private mutating func awoke() {
        isParked = false
        if let calledAt = calledAt.take() {
            scheduler.policy.woke(after: calledAt.duration(to: .now))
        }
        scheduler.slept()
        // The processors can be others by now.
        if scheduler.counters.sleepCount % 256 == 0 {
            scheduler.policy.processors(Processor.availableCount)
        }
    }

    private mutating func takeTold() -> [Told] {
        var told: [Told] = []
        for woken in scheduler.takeWoken() {
            if let waiter = waiters.removeValue(forKey: woken.ticket) {
                told.append(Told(waiter: waiter, result: .success(woken.reason)))
            }
        }
        return told
    }

    /// Lets go of all that waits and all that is served.
    private mutating func finish(_ advance: inout Advance) {
        guard case .ending(let error) = phase else { return }
        phase = .ended(error)
        advance.told = waiters.values.map { Told(waiter: $0, result: .failure(error)) }
        advance.signals += mourners
        advance.released = handlers
        waiters = [:]
        mourners = []
        handlers = handlers.map { _ in nil }
        pollers = []
    }

    /// The next job once it has ended; nil when there is none: then it sleeps, unless it is abandoned.
    mutating func nextJobAfterEnd() -> UnownedJob? {
        isParked = false
        if let job = jobs.popFirst() { return job }
        isParked = !isAbandoned
        return nil
    }
}
