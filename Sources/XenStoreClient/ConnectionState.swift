import XenCore
import XenStoreWire

typealias ReplyResult = Result<[UInt8], StoreError>
typealias EventResult = Result<WatchEvent, StoreError>

/// Who waits for what on a connection: the core, and the continuations and deadlines around it.
struct ConnectionState: Sendable {
    private struct ReplyWaiter: Sendable {
        let continuation: CheckedContinuation<ReplyResult, Never>
        let deadline: Deadline
    }

    private struct EventWaiter: Sendable {
        let ticket: UInt64
        /// Nil until the task is suspended.
        var continuation: CheckedContinuation<EventResult, Never>?
        var deadline: Deadline?
    }

    enum Acceptance: Sendable {
        case queued(needsEarlierWake: Bool)
        case rejected(StoreError)
    }

    enum EventOutcome: Sendable {
        case ready(EventResult)
        case waiting(needsEarlierWake: Bool)
    }

    enum Flushed: Sendable { case done, blocked, failed(StoreError) }

    struct Plan: Sendable {
        let deadline: Deadline
        let hasOutgoing: Bool
        let expired: Resumptions
    }

    /// Longer than any deadline that a thread needs to look at.
    private static let farAway = Duration.seconds(86_400)

    var core: ClientCore
    private(set) var end: StoreError?
    private var outgoing: [Packet] = []
    private var partial = OutgoingBytes()
    /// The request that was sent last, where they go one at a time.
    private var unanswered: UInt32?
    private var replies: [UInt32: ReplyWaiter] = [:]
    private var events: [WatchToken: EventWaiter] = [:]
    private var lastTicket: UInt64 = 0
    /// When the thread looks at the deadlines next: not later than any of them.
    private var nextLook = Deadline.after(farAway)

    init(payloadByteCountLimit: Int) {
        core = ClientCore(payloadByteCountLimit: payloadByteCountLimit)
    }

    private func checkOpen() throws(StoreError) { if let end { throw end } }

    // MARK: - Requests

    mutating func begin(
        _ request: Request, in transaction: TransactionID
    ) throws(StoreError) -> Packet {
        try checkOpen()
        return try core.begin(request, in: transaction)
    }

    mutating func enqueue(
        _ packet: Packet, _ continuation: CheckedContinuation<ReplyResult, Never>,
        until deadline: Deadline
    ) -> Acceptance {
        if let end { return .rejected(end) }
        guard core.request(packet.requestID) != nil else {
            return .rejected(StoreError(.cancelled, "the request was cancelled before it was sent"))
        }
        outgoing.append(packet)
        replies[packet.requestID] = ReplyWaiter(continuation: continuation, deadline: deadline)
        return .queued(needsEarlierWake: lookNotLater(than: deadline))
    }

    mutating func enqueueUnattended(_ request: Request, in transaction: TransactionID) {
        guard end == nil, let packet = try? core.begin(request, in: transaction) else { return }
        core.withdraw(packet.requestID)
        outgoing.append(packet)
    }

    /// Gives a request up. Returns whom to tell, when somebody waits.
    mutating func withdraw(_ id: UInt32) -> CheckedContinuation<ReplyResult, Never>? {
        let waiter = replies.removeValue(forKey: id)
        let unsent = outgoing.firstIndex { $0.requestID == id }
        if let unsent { outgoing.remove(at: unsent) }
        if waiter == nil || unsent != nil { core.forget(id) } else { core.withdraw(id) }
        return waiter?.continuation
    }

    // MARK: - Watches

    mutating func addWatch(_ path: StorePath, limit: Int) throws(StoreError) -> WatchToken {
        try checkOpen()
        return core.addWatch(path, limit: limit)
    }

    mutating func beginWaiting(for token: WatchToken) throws(StoreError) -> UInt64 {
        guard events[token] == nil else {
            throw StoreError(.limitReached, "another task already waits for this watch's events")
        }
        lastTicket += 1
        events[token] = EventWaiter(ticket: lastTicket)
        return lastTicket
    }

    mutating func wait(
        for token: WatchToken, _ ticket: UInt64,
        _ continuation: CheckedContinuation<EventResult, Never>,
        until deadline: Deadline?
    ) -> EventOutcome {
        guard events[token]?.ticket == ticket else {
            return .ready(.failure(StoreError(.cancelled, "the wait for an event was cancelled")))
        }
        if let ready = takeEvent(token) {
            events[token] = nil
            return .ready(ready)
        }
        events[token]?.continuation = continuation
        events[token]?.deadline = deadline
        return .waiting(needsEarlierWake: deadline.map { lookNotLater(than: $0) } ?? false)
    }

    /// Returns whom to tell, when the task is suspended already.
    mutating func endWaiting(
        for token: WatchToken, _ ticket: UInt64
    ) -> CheckedContinuation<EventResult, Never>? {
        guard events[token]?.ticket == ticket else { return nil }
        return events.removeValue(forKey: token)?.continuation
    }

    private mutating func takeEvent(_ token: WatchToken) -> EventResult? {
        do throws(StoreError) {
            return try core.nextEvent(token).map { .success($0) }
        } catch { return .failure(error) }
    }

    // MARK: - Bytes

    mutating func flush(to transport: any ByteTransport) -> Flushed {
        for packet in outgoing { partial.append(packet.bytes) }
        outgoing.removeAll(keepingCapacity: true)
        do throws(StoreError) {
            try partial.drain { bytes, offset throws(StoreError) in
                try transport.write(bytes, from: offset)
            }
            return partial.isEmpty ? .done : .blocked
        } catch { return .failed(error) }
    }

    /// The next packet for a transport that takes one request at a time; nil while the last is unanswered.
    mutating func takeOutgoing() -> Packet? {
        if let unanswered, core.request(unanswered) != nil { return nil }
        guard !outgoing.isEmpty else { return nil }
        let packet = outgoing.removeFirst()
        unanswered = packet.requestID
        return packet
    }

    mutating func refuse(_ packet: Packet, _ error: StoreError) -> Resumptions? {
        guard let request = core.request(packet.requestID) else { return nil }
        core.forget(packet.requestID)
        guard let waiter = replies.removeValue(forKey: packet.requestID) else { return nil }
        var resumptions = Resumptions()
        resumptions.add(waiter.continuation, .failure(request.refused(error.name ?? .inputOutput)))
        return resumptions
    }

    mutating func receive(_ bytes: ArraySlice<UInt8>) throws(StoreError) -> Resumptions {
        var resumptions = Resumptions()
        for arrival in try core.receive(bytes) {
            switch arrival {
            case .reply(let id, let result):
                if let waiter = replies.removeValue(forKey: id) {
                    resumptions.add(waiter.continuation, result)
                }
            case .event(let token): resumeEventWaiter(token, &resumptions)
            case .cleanUp(let request, let transaction):
                enqueueUnattended(request, in: transaction)
            }
        }
        return resumptions
    }

    private mutating func resumeEventWaiter(_ token: WatchToken, _ resumptions: inout Resumptions) {
        guard let continuation = events[token]?.continuation, let result = takeEvent(token) else {
            return
        }
        events[token] = nil
        resumptions.add(continuation, result)
    }

    // MARK: - Time and the end

    /// What the thread does next; nil once the connection has ended.
    mutating func plan(_ now: Deadline) -> Plan? {
        guard end == nil else { return nil }
        var expired = Resumptions()
        if nextLook <= now { expire(now, &expired) }
        return Plan(
            deadline: nextLook, hasOutgoing: !partial.isEmpty || !outgoing.isEmpty, expired: expired
        )
    }

    private mutating func expire(_ now: Deadline, _ expired: inout Resumptions) {
        for (id, waiter) in replies where waiter.deadline <= now {
            let request = core.request(id).map { "\($0)" } ?? "the request"
            _ = withdraw(id)
            expired.add(
                waiter.continuation,
                .failure(
                    StoreError(
                        .timedOut, "\(request) was not answered in time; is the server alive?")))
        }
        for (token, waiter) in events {
            guard let deadline = waiter.deadline, deadline <= now else { continue }
            events[token] = nil
            if let continuation = waiter.continuation {
                expired.add(
                    continuation,
                    .failure(StoreError(.timedOut, "no event came before the deadline")))
            }
        }
        nextLook = .after(Self.farAway)
        for waiter in replies.values { nextLook = min(nextLook, waiter.deadline) }
        for waiter in events.values { nextLook = min(nextLook, waiter.deadline ?? nextLook) }
    }

    /// True when the thread sleeps for longer than this, and must be woken to learn of it.
    private mutating func lookNotLater(than deadline: Deadline) -> Bool {
        guard deadline < nextLook else { return false }
        nextLook = deadline
        return true
    }

    mutating func close(_ error: StoreError) -> Resumptions {
        var ended = Resumptions()
        guard end == nil else { return ended }
        end = error
        outgoing = []
        for waiter in replies.values { ended.add(waiter.continuation, .failure(error)) }
        replies = [:]
        core.finish(error)
        for token in events.keys { resumeEventWaiter(token, &ended) }
        return ended
    }
}

/// Whom to wake with what, once the lock is free.
struct Resumptions: Sendable {
    private var replies: [(CheckedContinuation<ReplyResult, Never>, ReplyResult)] = []
    private var events: [(CheckedContinuation<EventResult, Never>, EventResult)] = []

    mutating func add(
        _ continuation: CheckedContinuation<ReplyResult, Never>, _ result: ReplyResult
    ) {
        replies.append((continuation, result))
    }

    mutating func add(
        _ continuation: CheckedContinuation<EventResult, Never>, _ result: EventResult
    ) {
        events.append((continuation, result))
    }

    func resume() {
        for (continuation, result) in replies { continuation.resume(returning: result) }
        for (continuation, result) in events { continuation.resume(returning: result) }
    }
}
