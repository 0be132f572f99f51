import XenCore
import XenStoreWire

/// Tasks that wait for a watch's event, or for another epoch.
extension ConnectionState {
    enum Outcome<Value: Sendable>: Sendable {
        case ready(Result<Value, StoreError>)
        case waiting
    }

    mutating func beginWaiting(
        for id: WatchID, until deadline: Deadline
    ) throws(StoreError) -> UInt64 {
        guard let ticket = events.reserve(id, until: deadline) else {
            throw StoreError(.limitReached, "another task already waits for this watch's events")
        }
        return ticket
    }

    mutating func wait(
        for id: WatchID, _ ticket: UInt64, until deadline: Deadline,
        _ continuation: CheckedContinuation<EventResult, Never>
    ) -> Outcome<WatchEvent> {
        guard events.isReserved(id, ticket) else {
            return .ready(.failure(StoreError(.cancelled, "the wait for an event was cancelled")))
        }
        if let ready = takeEvent(id) {
            _ = events.remove(id)
            return .ready(ready)
        }
        events.suspend(id, continuation)
        nextLook = min(nextLook, deadline)
        return .waiting
    }

    private mutating func takeEvent(_ id: WatchID) -> EventResult? {
        do throws(StoreError) {
            return try core.nextEvent(id).map { .success($0) }
        } catch { return .failure(error) }
    }

    mutating func resumeEventWaiter(_ id: WatchID, _ resumptions: inout Resumptions) {
        guard events.isSuspended(id), let result = takeEvent(id),
            let continuation = events.remove(id)
        else { return }
        resumptions.add(continuation, result)
    }

    /// The first epoch after `last`; nil while there is none.
    private func epoch(after last: Epoch) -> EpochResult? {
        if core.epoch > last, core.link == .connected { return .success(core.epoch) }
        return core.end.map { .failure($0) }
    }

    mutating func beginWaiting(forEpochAfter last: Epoch, until deadline: Deadline) -> EpochWait {
        epochWaitCount += 1
        let wait = EpochWait(number: epochWaitCount, last: last)
        _ = epochs.reserve(wait, until: deadline)
        return wait
    }

    mutating func wait(
        for wait: EpochWait, until deadline: Deadline,
        _ continuation: CheckedContinuation<EpochResult, Never>
    ) -> Outcome<Epoch> {
        guard epochs.isReserved(wait) else {
            return .ready(.failure(StoreError(.cancelled, "the wait for an epoch was cancelled")))
        }
        if let ready = epoch(after: wait.last) {
            _ = epochs.remove(wait)
            return .ready(ready)
        }
        epochs.suspend(wait, continuation)
        nextLook = min(nextLook, deadline)
        return .waiting
    }

    mutating func resumeEpochWaiters(_ resumptions: inout Resumptions) {
        guard !epochs.isEmpty else { return }
        for wait in epochs.suspendedKeys {
            guard let result = epoch(after: wait.last), let continuation = epochs.remove(wait)
            else { continue }
            resumptions.add(continuation, result)
        }
    }

    /// Ends the waits for events and epochs that are over.
    mutating func expireWaiters(_ now: Deadline, _ resumptions: inout Resumptions) {
        nextLook = .never
        for continuation in events.expire(now, next: &nextLook) {
            resumptions.add(
                continuation,
                EventResult.failure(StoreError(.timedOut, "no event came before the deadline")))
        }
        for continuation in epochs.expire(now, next: &nextLook) {
            resumptions.add(
                continuation,
                EpochResult.failure(
                    StoreError(.timedOut, "no other connection was made before the deadline")))
        }
    }
}

/// One wait for a connection of a later epoch.
struct EpochWait: Hashable, Sendable {
    let number: UInt64
    /// Later than this.
    let last: Epoch
}
