public import XenCore
public import XenStoreWire
import XenSystem

/// Opens connections to one server, again and again: what a client reconnects with.
public protocol StoreConnector: Sendable {
    /// Opens a new connection. May block until the deadline, not longer.
    ///
    /// Throws `.unavailable` when the server cannot be reached now; the client tries again later. Named `EAGAIN` it
    /// tells that the server is there and busy, which a client's first connection waits for too.
    func connect(until deadline: Deadline) throws(StoreError) -> any ByteTransport
}

extension StoreConnector {
    /// The connection that a new client begins with: tries until the deadline to reach a server that is busy.
    func firstConnection(
        until deadline: Deadline, _ policy: ReconnectPolicy
    ) throws(StoreError) -> any ByteTransport {
        var attempt = 0
        while true {
            do throws(StoreError) { return try connect(until: deadline) } catch {
                guard error.code == .unavailable, error.name == .again, !deadline.hasPassed else {
                    throw error
                }
            }
            let rest = policy.pause(before: attempt, random: .random(in: .min ... .max))
            // A failure of poll(2) without descriptors ends the pause early.
            try? pause(min(rest, deadline.remaining))
            attempt += 1
        }
    }
}
