import Synchronization
import XenCore
import XenEvtchn
import XenStoreWire
import XenSystem

/// Carries the core's bytes: one thread that waits for sockets and guests' events in one place.
///
/// A request that arrives alone costs a wait, a read and a write; those that arrive together share them.
final class ServerLoop: Sendable {
    private let state: Mutex<ServerState>
    private let epoll: Epoll
    private let wakeup: Wakeup
    private let onNotice: @Sendable (StoreServerNotice) -> Void

    init(
        quota: StoreQuota, guests: GuestHost?, stallTimeout: Duration,
        onNotice: @escaping @Sendable (StoreServerNotice) -> Void
    ) throws(StoreError) {
        do throws(SystemFailure) {
            epoll = try Epoll()
            wakeup = try Wakeup()
            try epoll.add(wakeup.descriptor, .readable, token: Token.wakeup.rawValue)
        } catch { throw StoreError(.unavailable, "no descriptor left for the store: \(error)") }
        let lookout: DomainLookout?
        do {
            if let guests {
                try epoll.add(
                    try guests.events.descriptor, .readable, token: Token.guestEvents.rawValue)
            }
        } catch { throw StoreError(.unavailable, "guests' events cannot be waited for: \(error)") }
        do { lookout = try guests.flatMap { try DomainLookout($0) } } catch {
            throw StoreError(
                .unavailable,
                "nobody tells of domains that die; is another store running? \(error)")
        }
        state = Mutex(
            ServerState(
                quota: quota, guests: guests, lookout: lookout, stallTimeout: stallTimeout, epoll))
        self.onNotice = onNotice
    }

    /// Looks at the state, or changes it, from any thread, and has the loop look at it.
    func update<Result: Sendable>(
        _ body: (inout ServerState) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let (result, notices) = state.withLock {
            state -> (Swift.Result<Result, StoreError>, [StoreServerNotice]) in
            guard !state.isStopped else {
                return (
                    .failure(StoreError(.unavailable, "the store server has been stopped")), []
                )
            }
            // The loop may have slept for long.
            state.now = .now
            let result: Swift.Result<Result, StoreError>
            do throws(StoreError) { result = .success(try body(&state)) } catch {
                result = .failure(error)
            }
            state.carryOut()
            state.flush()
            return (result, state.takeNotices())
        }
        wakeup.signal()
        notices.forEach(onNotice)
        return try result.get()
    }

    /// Serves until `stop` was called.
    func run() {
        var buffer = [UInt8](repeating: 0, count: 16384)
        var events = Epoll.Events()
        var patience: Int32? = 0
        while true {
            // It cannot fail: the set and its memory are there.
            try? epoll.wait(for: patience, &events)
            let turn = state.withLock { $0.turn(events, &buffer, wakeup) }
            guard let turn else { return }
            patience = turn.patience
            turn.notices.forEach(onNotice)
        }
    }

    /// Ends `run`, every connection and every listening socket, and lets go of every ring.
    func stop() {
        state.withLock { $0.stop() }
        wakeup.signal()
    }
}
