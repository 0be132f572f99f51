import Synchronization
import XenCore
import XenEvtchn
import XenGrant
import XenSystem

/// Calls to the other end of a link, from any thread. Each has a deadline, and fails when the other end is gone.
final class PartyCaller: Sendable {
    private struct State {
        var lastNumber: UInt32 = 0
        var waiting: [UInt32: PendingCall] = [:]
        /// Why no call can succeed any more.
        var ending: String?
        /// What a call that nobody waited for has come to: the next one fails with it.
        var lateFailure: PartyAnswer?
    }

    private let link: Link
    /// How long an answer may take: enough for an emulated machine under load.
    private let patience: Duration
    private let state = Mutex(State())

    init(_ link: Link, patience: Duration) throws {
        self.link = link
        self.patience = patience
        // The link is closed by `close`, which ends this cycle.
        try link.start { [self] message in
            receive(message)
        } ended: { [self] reason in
            end(reason)
        }
    }

    /// Blocks until the other end has answered.
    ///
    /// - Parameter duration: how long the call itself may take there.
    func call(
        _ operation: PartyOperation, _ handle: UInt32, _ values: [UInt8],
        lasting duration: Duration = .zero
    ) -> PartyAnswer {
        let pending = PendingCall()
        let number = state.withLock { state -> UInt32? in
            guard state.ending == nil, state.lateFailure == nil else { return nil }
            state.lastNumber &+= 1
            state.waiting[state.lastNumber] = pending
            return state.lastNumber
        }
        guard let number else { return ending }
        do {
            try link.send(wire(number, operation, handle) + values)
        } catch {
            end("\(error)")
        }
        let limit = duration + patience
        if let answer = pending.answer(until: .after(limit)) { return answer }
        state.withLock { _ = $0.waiting.removeValue(forKey: number) }
        return .failure("the other end has not answered '\(operation)' within \(limit)")
    }

    /// Why there can be no call now.
    private var ending: PartyAnswer {
        state.withLock { state in
            state.lateFailure.take() ?? .failure(state.ending ?? "the link has ended")
        }
    }

    /// Makes a call without waiting for its answer: it comes before any later one. If it fails, that one fails instead.
    func post(
        _ operation: PartyOperation, _ handle: UInt32, _ values: [UInt8]
    ) throws(EventChannelError) {
        do {
            try link.send(wire(Self.posted, operation, handle) + values)
        } catch {
            throw EventChannelError(.unavailable, "\(operation): \(error)")
        }
    }

    /// The number of a call whose success nobody wants to hear of.
    static let posted: UInt32 = 0

    private func receive(_ message: [UInt8]) {
        do {
            var reader = WireReader(message[...])
            let (number, answer) = try reader.next(UInt32.self, PartyAnswer.self)
            let pending = state.withLock { state -> PendingCall? in
                if number == Self.posted { state.lateFailure = answer }
                // Nil if nobody waits any more: it came too late.
                return state.waiting.removeValue(forKey: number)
            }
            pending?.end(answer)
        } catch {
            end("\(error)")
        }
    }

    private func end(_ reason: String) {
        let waiting = state.withLock { state in
            state.ending = state.ending ?? reason
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for call in waiting { call.end(.failure(reason)) }
    }

    /// Says that no more calls come, and lets go of the link.
    func close(until deadline: Deadline) throws {
        end("this end of the link was closed")
        try? link.send(wire(Self.posted, PartyOperation.goodbye, UInt32(0)))
        try link.close(until: deadline)
    }
}

/// A call that waits for its answer.
private final class PendingCall: Sendable {
    private let result = Mutex<PartyAnswer?>(nil)
    private let signal = ThreadSignal()

    func end(_ answer: PartyAnswer) {
        result.withLock { $0 = answer }
        signal.signal()
    }

    func answer(until deadline: Deadline) -> PartyAnswer? {
        signal.wait(until: deadline)
        return result.withLock { $0 }
    }
}

// What the other end answers, as each kind of back end wants it.
extension PartyCaller {
    func onGrants<each Value: WireValue>(
        _ operation: PartyOperation, _ handle: UInt32, _ values: [UInt8],
        returning types: repeat (each Value).Type
    ) throws(GrantError) -> (repeat each Value) {
        switch call(operation, handle, values) {
        case .result(let bytes):
            var reader = WireReader(bytes[...])
            do throws(WireError) {
                return try reader.next(repeat each types)
            } catch {
                throw GrantError(.unavailable, "\(operation): \(error)")
            }
        case .grantError(let error): throw error
        case .eventError(let error): throw GrantError(.unavailable, "\(operation): \(error)")
        case .failure(let text): throw GrantError(.unavailable, "\(operation): \(text)")
        }
    }

    func onEvents<each Value: WireValue>(
        _ operation: PartyOperation, _ handle: UInt32, _ values: [UInt8] = [],
        lasting duration: Duration = .zero, returning types: repeat (each Value).Type
    ) throws(EventChannelError) -> (repeat each Value) {
        switch call(operation, handle, values, lasting: duration) {
        case .result(let bytes):
            var reader = WireReader(bytes[...])
            do throws(WireError) {
                return try reader.next(repeat each types)
            } catch {
                throw EventChannelError(.unavailable, "\(operation): \(error)")
            }
        case .eventError(let error): throw error
        case .grantError(let error): throw EventChannelError(.unavailable, "\(operation): \(error)")
        case .failure(let text): throw EventChannelError(.unavailable, "\(operation): \(text)")
        }
    }
}
