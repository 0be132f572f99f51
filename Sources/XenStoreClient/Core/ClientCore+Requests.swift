import DequeModule
import XenCore
import XenStoreWire

extension ClientCore {
    /// How many watches may be on their way at a time to be set again.
    static let restorationLimit = 256

    /// How many other requests may be unanswered, withdrawn ones included. Only what tidies up may be beyond.
    static let requestLimit = RequestHandle.slotLimit - restorationLimit

    /// How many replies a server may owe to requests that were given up, before its connection is.
    static let withdrawnLimit = requestLimit / 2

    /// Takes a request, to be sent once it is submitted and there is a connection.
    ///
    /// Throws `.tooLong` when it does not fit, `.limitReached` when too many are unanswered, `.refused` without a round
    /// trip what this connection is known not to take, `.conflict` when its transaction's connection is lost, and
    /// what ended the client.
    mutating func reserve(
        _ request: Request, in scope: TransactionScope = .none, until deadline: Deadline,
        for purpose: PendingRequest.Purpose = .caller
    ) throws(StoreError) -> RequestHandle {
        if let end { throw end }
        let pending = PendingRequest(
            request: request, scope: scope, deadline: deadline, purpose: purpose)
        if let objection = objection(to: pending) { throw objection }
        guard purpose == .nobody || requests.count < Self.requestLimit,
            let handle = requests.insert(pending)
        else {
            // What is not committed would stay open.
            if request.isCommit {
                tidyUp(.transactionEnd(commit: false), in: scope, until: deadline)
            }
            throw StoreError(
                .limitReached,
                "\(request): \(requests.count) requests are unanswered; wait for replies")
        }
        return handle
    }

    /// Lets a reserved request go out. False when it has ended already.
    mutating func submit(_ handle: RequestHandle) -> Bool {
        guard let pending = requests[handle] else { return false }
        requests[handle]?.stage = .queued
        queue.append(handle)
        look(notLaterThan: pending.deadline)
        return true
    }

    /// Reserves and submits.
    mutating func begin(
        _ request: Request, in scope: TransactionScope = .none, until deadline: Deadline,
        for purpose: PendingRequest.Purpose = .caller
    ) throws(StoreError) -> RequestHandle {
        let handle = try reserve(request, in: scope, until: deadline, for: purpose)
        _ = submit(handle)
        return handle
    }

    /// Sends something that nobody waits for, if there is a connection and room: without one there is nothing to undo.
    ///
    /// - Parameter deadline: from then on the server owes the reply.
    mutating func tidyUp(
        _ request: Request, in scope: TransactionScope = .none, until deadline: Deadline
    ) {
        guard link == .connected else { return }
        _ = try? begin(request, in: scope, until: deadline, for: .nobody)
    }

    /// Gives a request up at once. Returns the error for whoever waited; nil when it has ended already.
    mutating func withdraw(_ handle: RequestHandle, now: Deadline) -> StoreError? {
        guard let pending = requests[handle], !pending.isWithdrawn else { return nil }
        abandon(handle, pending, now)
        return .cancelled(
            pending.request, wasSent: pending.wasSent(handedOver: output.handedOver))
    }

    /// What is queued is never sent, a commit becomes an abort, and only what tidies up is sent however late; for what
    /// is sent, the reply is still awaited, and dropped.
    private mutating func abandon(
        _ handle: RequestHandle, _ pending: PendingRequest, _ now: Deadline
    ) {
        switch (pending.stage, pending.purpose) {
        case (.encoded, _), (_, .nobody):
            requests[handle]?.isWithdrawn = true
            requests[handle]?.deadline = now + patience
            withdrawnCount += 1
            if traits.isKernelDevice { look(notLaterThan: now + patience) }
            guard withdrawnCount >= Self.withdrawnLimit, canReconnect else { return }
            complaint = StoreError(
                .timedOut,
                "the server owes replies to \(withdrawnCount) requests that were given up")
            look(notLaterThan: Deadline(sinceEpoch: .zero))
        default:
            removeRequest(handle)
            // What was not committed would stay open.
            guard pending.request.isCommit else { return }
            tidyUp(.transactionEnd(commit: false), in: pending.scope, until: now + patience)
        }
    }

    /// Why this connection cannot take a request; nil when it can.
    func objection(to pending: PendingRequest) -> StoreError? {
        let request = pending.request
        if pending.scope != .none, pending.scope.epoch != epoch || link != .connected {
            return .transactionLost(request, StoreError(.disconnected, "a new epoch has begun"))
        }
        let byteCount = request.payloadByteCount
        guard byteCount <= traits.payloadByteCountLimit else {
            return StoreError(
                .tooLong,
                "\(request) has \(byteCount) bytes, and this connection takes \(traits.payloadByteCountLimit)"
            )
        }
        guard request.isWellFormed else {
            return StoreError(
                .refused, name: .invalid, "\(request): a NUL within an argument would end it early")
        }
        if traits.isKernelDevice, request.operation == .resetWatches {
            return StoreError(
                .refused, name: .notImplemented,
                "\(request) was not sent: over the kernel's device it would drop the kernel's own watches"
            )
        }
        return isKnownToBeUnknown(request.operation) ? request.refused(.notImplemented) : nil
    }

    // MARK: - What this server does not know

    private static func bit(_ operation: StoreOperation) -> UInt64 {
        // CONTROL is many commands, of which a server may lack one.
        operation == .control || operation.rawValue >= 64 ? 0 : 1 << operation.rawValue
    }

    func isKnownToBeUnknown(_ operation: StoreOperation) -> Bool {
        unknownOperations & Self.bit(operation) != 0
    }

    mutating func rememberUnknown(_ operation: StoreOperation) {
        unknownOperations |= Self.bit(operation)
    }

    // MARK: - Time

    /// Ends what was not answered in time. To be called when `nextLook` has passed, or more often.
    ///
    /// Returns why the connection cannot go on, when the server leaves too much unanswered.
    mutating func expire(_ now: Deadline) -> StoreError? {
        guard nextLook <= now else { return nil }
        nextLook = .never
        for handle in requests.handles {
            guard let pending = requests[handle], pending.stage != .reserved,
                !pending.isWithdrawn || traits.isKernelDevice
            else { continue }
            guard pending.deadline <= now else {
                look(notLaterThan: pending.deadline)
                continue
            }
            guard !pending.isWithdrawn else {
                complainOfDevice(pending)
                continue
            }
            abandon(handle, pending, now)
            switch pending.purpose {
            case .nobody: continue
            case .restoration:
                complaint = StoreError(
                    .timedOut, "the server did not set \(pending.request) again in time")
            case .caller, .registration: complete(handle, .failure(timeout(pending)))
            }
        }
        if complaint == nil { expireRestorations(now) }
        return link == .connected ? complaint : nil
    }

    /// The device takes nothing else before it has replied.
    private mutating func complainOfDevice(_ pending: PendingRequest) {
        guard canReconnect, case .encoded = pending.stage else { return }
        complaint = StoreError(
            .timedOut, "the device owes the reply to \(pending.request), and takes nothing else")
    }

    private mutating func expireRestorations(_ now: Deadline) {
        guard link == .connected else { return }
        for (id, watch) in watches {
            guard case .restoring(let deadline) = watch.stage else { continue }
            guard deadline <= now else {
                look(notLaterThan: deadline)
                continue
            }
            watches[id]?.lookAgain()
            signal(id)
        }
        if restoringCount == 0 { restoreWatches(now) }
    }

    private func timeout(_ pending: PendingRequest) -> StoreError {
        let advice =
            switch link {
            case .connected: "was not answered in time; is the server alive?"
            case .lost, .ended:
                "was not sent: the connection is lost, and was not made again in time"
            }
        return StoreError(.timedOut, "\(pending.request) \(advice)")
    }

    mutating func look(notLaterThan deadline: Deadline) {
        if deadline < nextLook { nextLook = deadline }
    }
}
