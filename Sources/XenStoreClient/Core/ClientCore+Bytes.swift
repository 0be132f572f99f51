import DequeModule
import XenCore
import XenStoreWire

extension ClientCore {
    /// How many bytes are made ready at a time; what waits beyond them can still be withdrawn.
    private static let outputLimit = 1 << 16

    // MARK: - To the server

    /// Makes bytes of what waits. True when there are any for the transport.
    mutating func prepareOutput() -> Bool {
        guard link == .connected else { return false }
        while output.count < Self.outputLimit, let handle = nextQueued() { encode(handle) }
        return output.count > 0
    }

    /// Nil when nothing may be sent now: the device takes one request at a time.
    private mutating func nextQueued() -> RequestHandle? {
        guard !traits.isKernelDevice || unansweredCount == 0 else { return nil }
        while let handle = queue.popFirst() {
            if requests.isQueued(handle) { return handle }
            queuedEndCount -= 1
        }
        return nil
    }

    private mutating func encode(_ handle: RequestHandle) {
        guard let pending = requests[handle] else { return }
        if let objection = objection(to: pending) {
            // It is out of the queue.
            requests[handle]?.stage = .reserved
            removeRequest(handle)
            return conclude(pending, handle, .failure(objection))
        }
        let request = current(pending)
        requests[handle]?.stage = .encoded(at: output.end)
        unansweredCount += 1
        lastEncoded = handle
        let byteCount = request.payloadByteCount
        output.append(
            request, requestID: handle.requestID(in: epoch), transaction: pending.scope.id,
            byteCount: byteCount)
        // oxenstored looks at an empty packet on a socket only when more bytes follow it.
        if byteCount == 0, !traits.isKernelDevice {
            tidyUp(.getDomainPath(.dom0), until: pending.deadline)
        }
    }

    /// The transport has taken so many of the output's bytes.
    mutating func tookOutput(_ count: Int) { output.take(count) }

    /// The request that is with the device, which takes one at a time.
    private var onlyUnanswered: RequestHandle? {
        guard let lastEncoded, case .encoded = requests[lastEncoded]?.stage else { return nil }
        return lastEncoded
    }

    // MARK: - From the server

    /// Takes bytes as they come.
    ///
    /// Throws `.protocolViolation` when the stream cannot be followed any more, or a watch is not set again.
    mutating func receive(_ bytes: ArraySlice<UInt8>) throws(StoreError) {
        parser.append(bytes)
        while let packet = try nextPacket() {
            attemptCount = 0
            // Events are known by their type: their id may be anything (Linux leaves it unset).
            if packet.operation == .watchEvent { event(packet) } else { reply(packet) }
        }
        if let complaint { throw complaint }
    }

    /// A request whose reply is too long ends with the connection, and is not sent again: that reply would come again,
    /// as oxenstored's to a long DIRECTORY does on sockets.
    private mutating func nextPacket() throws(StoreError) -> Packet? {
        do { return try parser.next() } catch {
            if let header = parser.refusedHeader, header.operation != .watchEvent,
                let handle = handle(of: header.requestID), let pending = removeRequest(handle),
                !pending.isWithdrawn
            {
                conclude(pending, handle, .failure(error))
            }
            throw error
        }
    }

    private mutating func event(_ packet: Packet) {
        guard let (path, bytes) = try? Reply.event(packet.payload) else {
            counters.malformedEvents += 1
            return
        }
        guard let token = WatchToken(bytes: bytes), watches[token.watch] != nil else {
            counters.unknownEvents += 1
            return
        }
        guard token.epoch == epoch else {
            counters.staleEvents += 1
            return
        }
        watches[token.watch]?.take(path)
        signal(token.watch)
    }

    private mutating func reply(_ packet: Packet) {
        guard let handle = handle(of: packet.requestID), let pending = removeRequest(handle) else {
            return
        }
        let result = answer(to: pending.request, packet)
        if case .failure(let error) = result, error.name == .notImplemented {
            rememberUnknown(pending.request.operation)
        }
        if pending.isWithdrawn {
            counters.lateReplies += 1
            takeBack(pending, result)
        } else {
            conclude(pending, handle, result)
        }
    }

    /// Which request a reply belongs to; nil, and counted, when to none.
    private mutating func handle(of requestID: UInt32) -> RequestHandle? {
        // Some old kernels answer with another's id; but there, only one request is unanswered.
        if traits.isKernelDevice, let only = onlyUnanswered { return only }
        let age = RequestHandle.age(of: requestID, in: epoch)
        let handle = RequestHandle(requestID: requestID)
        if age == 0, requests[handle]?.wasSent(handedOver: output.handedOver) == true {
            return handle
        }
        if age > 0, age < epoch.rawValue {
            counters.staleReplies += 1
        } else {
            counters.unknownReplies += 1
        }
        return nil
    }

    private func answer(to request: Request, _ packet: Packet) -> Result<Answer, StoreError> {
        switch packet.operation {
        case request.operation: .success(Answer(payload: packet.payload, epoch: epoch))
        case .error: .failure(request.refused(StoreErrorName(payload: packet.payload)))
        default:
            .failure(
                StoreError(.protocolViolation, "\(request) was answered with \(packet.operation)"))
        }
    }

    /// Tells whoever waits for a request how it ended.
    private mutating func conclude(
        _ pending: PendingRequest, _ handle: RequestHandle, _ result: Result<Answer, StoreError>
    ) {
        let error: StoreError? = if case .failure(let error) = result { error } else { nil }
        switch pending.purpose {
        case .nobody: return
        case .restoration(let id): return settleRestoration(id, error)
        case .registration(let id): settle(id, error)
        case .caller: break
        }
        complete(handle, result)
    }

    /// A transaction or watch that the server made for a request that nobody waits for is taken back.
    private mutating func takeBack(
        _ pending: PendingRequest, _ result: Result<Answer, StoreError>
    ) {
        guard case .success(let answer) = result else { return }
        switch pending.request {
        case .transactionStart:
            guard let scope = try? answer.transaction else { return }
            tidyUp(.transactionEnd(commit: false), in: scope, until: pending.deadline)
        case .watch:
            guard case .watch(let path, let token, _) = current(pending) else { return }
            tidyUp(.unwatch(path, token: token), until: pending.deadline)
        default: return
        }
    }
}
