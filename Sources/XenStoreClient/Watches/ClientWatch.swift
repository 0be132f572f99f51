import XenCore
import XenStoreWire

/// One watch, as the client's core keeps it through all epochs.
struct ClientWatch: Sendable {
    enum Stage: Hashable, Sendable {
        /// The caller still waits for the server's word.
        case registering
        case established
        /// A new epoch has begun: the server's first event becomes 'look again', or the deadline does.
        case restoring(until: Deadline)
    }

    let path: StorePath
    let depth: UInt32?
    var queue: WatchQueue
    var stage = Stage.registering
    /// Whether the shell has been told that there is something to take.
    var isSignalled = false

    /// How it is set in an epoch.
    func registration(_ id: WatchID, in epoch: Epoch) -> Request {
        .watch(path, token: WatchToken(id, in: epoch).bytes, depth: depth)
    }

    /// Takes one event of the server's.
    mutating func take(_ changed: StorePath) {
        guard case .restoring = stage else { return queue.add(changed) }
        lookAgain()
    }

    /// The watch tells that it was set again.
    mutating func lookAgain() {
        stage = .established
        queue.lookAgain()
    }
}
