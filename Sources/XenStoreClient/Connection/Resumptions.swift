import XenCore
import XenStoreWire

typealias ReplyResult = Result<ClientCore.Answer, StoreError>
typealias EventResult = Result<WatchEvent, StoreError>
typealias EpochResult = Result<Epoch, StoreError>

/// Whom to wake with what, once the lock is free.
struct Resumptions: Sendable {
    private var replies: [(CheckedContinuation<ReplyResult, Never>, ReplyResult)] = []
    private var events: [(CheckedContinuation<EventResult, Never>, EventResult)] = []
    private var epochs: [(CheckedContinuation<EpochResult, Never>, EpochResult)] = []

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

    mutating func add(
        _ continuation: CheckedContinuation<EpochResult, Never>, _ result: EpochResult
    ) {
        epochs.append((continuation, result))
    }

    func resume() {
        for (continuation, result) in replies { continuation.resume(returning: result) }
        for (continuation, result) in events { continuation.resume(returning: result) }
        for (continuation, result) in epochs { continuation.resume(returning: result) }
    }
}
