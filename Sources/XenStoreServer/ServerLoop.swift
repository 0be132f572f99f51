import Synchronization
import XenCore
import XenStoreWire
import XenSystem

/// Carries the core's bytes: one thread that polls the listening sockets and all connections.
final class ServerLoop: Sendable {
    private let state: Mutex<ServerState>
    private let wakeup: Wakeup

    init(quota: StoreQuota) throws(StoreError) {
        do { wakeup = try Wakeup() } catch {
            throw StoreError(.unavailable, "no descriptor left for the store's thread: \(error)")
        }
        state = Mutex(ServerState(quota: quota))
    }

    /// Changes the state from any thread, and has the loop look at it.
    func update<Result: Sendable>(
        _ body: (inout ServerState) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let result = state.withLock { state -> Swift.Result<Result, StoreError> in
            guard !state.isStopped else {
                return .failure(StoreError(.unavailable, "the store server has been stopped"))
            }
            do throws(StoreError) { return .success(try body(&state)) } catch {
                return .failure(error)
            }
        }
        wakeup.signal()
        return try result.get()
    }

    /// Serves until `stop` was called.
    func run() {
        var buffer = [UInt8](repeating: 0, count: 16384)
        while let round = state.withLock({ $0.nextRound() }) {
            let descriptors =
                [(descriptor: wakeup.descriptor, interest: PollInterest.readable)]
                + round.polled.map { ($0.descriptor.owned.rawValue, $0.interest) }
            // Only a shortage of memory makes poll(2) fail here: then every connection is looked at.
            let outcome = try? poll(descriptors, until: round.deadline)
            wakeup.reset()
            state.withLock { state in
                for (index, entry) in round.polled.enumerated() {
                    state.serve(
                        entry.source, isReadable: outcome?.isReadable(index + 1) ?? true, &buffer)
                }
                state.flush()
            }
        }
    }

    /// Ends `run`, every connection and every listening socket.
    func stop() {
        state.withLock { $0.stop() }
        wakeup.signal()
    }
}
