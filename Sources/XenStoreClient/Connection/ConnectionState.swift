import XenCore
import XenStoreWire

/// Who waits for what on a client's connection: the core, and the continuations and the transport around it.
struct ConnectionState: Sendable {
    /// A transport, and the epoch whose bytes it carries.
    struct Link: Sendable {
        let transport: any ByteTransport
        let epoch: Epoch
        /// Why nothing can be written any more; what the server has said before is still to be read.
        var failure: StoreError?
    }

    /// What the client's thread does next.
    enum Step: Sendable {
        case serve(Link, until: Deadline, hasOutput: Bool)
        case pause(until: Deadline)
        /// Somebody's deadline is not before this time.
        case connect(before: Deadline)
        case stop
    }

    private struct ReplyWaiter: Sendable {
        let handle: RequestHandle
        let continuation: CheckedContinuation<ReplyResult, Never>
    }

    var core: ClientCore
    var link: Link?
    private var replies: [ReplyWaiter?] = []
    /// How requests ended whose tasks are not suspended yet.
    private var early: [ClientCore.Completion] = []
    var events = Waiters<WatchID, WatchEvent>()
    var epochs = Waiters<EpochWait, Epoch>()
    /// How many waits for an epoch have begun.
    var epochWaitCount: UInt64 = 0
    /// When the thread looks at the deadlines of those that wait for events or epochs: not later than any of them.
    var nextLook = Deadline.never
    /// Whether a task is about to write what waits.
    private var isGathering = false
    /// Until when the thread sleeps, unless it is woken.
    private var sleepsUntil = Deadline.never

    init(_ core: ClientCore) { self.core = core }

    // MARK: - Requests

    /// Sends a reserved request. Returns how it ended, when that was before its task was suspended.
    mutating func submit(
        _ handle: RequestHandle, _ continuation: CheckedContinuation<ReplyResult, Never>
    ) -> ReplyResult? {
        if let index = early.firstIndex(where: { $0.handle == handle }) {
            return early.remove(at: index).result
        }
        guard core.submit(handle) else {
            return .failure(StoreError(.cancelled, "the request ended before it was sent"))
        }
        while replies.count <= handle.slot { replies.append(nil) }
        replies[handle.slot] = ReplyWaiter(handle: handle, continuation: continuation)
        return nil
    }

    /// Gives a request up. Returns whom to tell what, when somebody waits.
    mutating func withdraw(_ handle: RequestHandle, now: Deadline) -> Resumptions {
        var resumptions = Resumptions()
        if let error = core.withdraw(handle, now: now) {
            resume(handle, .failure(error), &resumptions)
        }
        return resumptions
    }

    private mutating func resume(
        _ handle: RequestHandle, _ result: ReplyResult, _ resumptions: inout Resumptions
    ) {
        guard handle.slot < replies.count, replies[handle.slot]?.handle == handle,
            let waiter = replies[handle.slot].take()
        else { return early.append(ClientCore.Completion(handle: handle, result: result)) }
        resumptions.add(waiter.continuation, result)
    }

    /// Collects whom the core's news concerns.
    mutating func news() -> Resumptions {
        var resumptions = Resumptions()
        for completion in core.completions {
            resume(completion.handle, completion.result, &resumptions)
        }
        core.completions.removeAll(keepingCapacity: true)
        while let id = core.takeSignal() { resumeEventWaiter(id, &resumptions) }
        resumeEpochWaiters(&resumptions)
        return resumptions
    }

    // MARK: - Bytes

    /// What is left to do after a request, once the lock is free.
    struct Transmission: Sendable {
        /// Wake the thread, which has something to write, or to give up, or an earlier deadline.
        var mustWake = false
        /// Let a task run, then call `transmitGathered`.
        var mustGather = false
    }

    /// With so many requests under way it pays to write several at a time.
    private static let gatheringThreshold = 4

    /// Writes what waits, or leaves it to be gathered with what follows.
    mutating func transmit() -> Transmission {
        if isGathering { return Transmission(mustWake: needsEarlierWake()) }
        guard link != nil, core.unansweredCount >= Self.gatheringThreshold else {
            return transmitGathered()
        }
        isGathering = true
        return Transmission(mustWake: needsEarlierWake(), mustGather: true)
    }

    /// Writes what waits.
    mutating func transmitGathered() -> Transmission {
        isGathering = false
        let isBlocked = flush()
        let isLate = needsEarlierWake()
        return Transmission(mustWake: isBlocked || isLate)
    }

    /// Writes what fits now. True when something is left, for which the thread has to wait; also when writing has
    /// failed, for the thread to read the last and to give the connection up.
    mutating func flush() -> Bool {
        guard let link, link.failure == nil else { return true }
        do throws(StoreError) {
            while core.prepareOutput() {
                let count = try link.transport.write(core.output.bytes, from: core.output.offset)
                guard count > 0 else { return true }
                core.tookOutput(count)
            }
            return false
        } catch {
            self.link?.failure = error
            return true
        }
    }

    mutating func receive(_ bytes: ArraySlice<UInt8>, in epoch: Epoch) throws(StoreError) {
        guard core.epoch == epoch, core.link == .connected else {
            core.counters.staleByteCount += bytes.count
            return
        }
        try core.receive(bytes)
    }

    // MARK: - The connection

    mutating func adopt(_ transport: any ByteTransport, now: Deadline) {
        guard core.end == nil else { return transport.close() }
        core.connected(LinkTraits(transport), now: now)
        link = Link(transport: transport, epoch: core.epoch)
    }

    /// Gives the connection of an epoch up, if it is still the current one. Returns the transport to close.
    mutating func lose(
        _ epoch: Epoch, _ reason: StoreError, now: Deadline
    ) -> (any ByteTransport)? {
        guard let link, link.epoch == epoch else { return nil }
        self.link = nil
        core.disconnected(reason, now: now, random: .random(in: .min ... .max))
        return link.transport
    }

    /// There will be no other connection. Returns the transport to close.
    mutating func finish(_ reason: StoreError) -> (any ByteTransport)? {
        core.finish(reason)
        return link.take()?.transport
    }

    // MARK: - The thread

    /// What the thread does next. Ends what is over before.
    mutating func step(_ now: Deadline) -> (Step, Resumptions, toClose: (any ByteTransport)?) {
        let failure = core.expire(now)
        let toClose = failure.flatMap { lose(core.epoch, $0, now: now) }
        var resumptions = news()
        if nextLook <= now { expireWaiters(now, &resumptions) }
        sleepsUntil = min(nextLook, core.nextLook)
        switch core.link {
        case .ended: return (.stop, resumptions, toClose)
        case .lost(let retryAt):
            guard retryAt > now else {
                return (.connect(before: sleepsUntil), resumptions, toClose)
            }
            sleepsUntil = min(sleepsUntil, retryAt)
            return (.pause(until: sleepsUntil), resumptions, toClose)
        case .connected:
            guard let link else { return (.stop, resumptions, toClose) }
            let hasOutput = core.prepareOutput()
            return (.serve(link, until: sleepsUntil, hasOutput: hasOutput), resumptions, toClose)
        }
    }

    /// Whether the thread sleeps for longer than somebody's deadline, and must be woken to learn of it.
    mutating func needsEarlierWake() -> Bool {
        let earliest = min(nextLook, core.nextLook)
        guard earliest < sleepsUntil else { return false }
        sleepsUntil = earliest
        return true
    }
}
