import XenCore
import XenStoreWire

/// The tasks that wait for something of one kind, by key: each with a deadline, each told once.
struct Waiters<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    typealias Continuation = CheckedContinuation<Result<Value, StoreError>, Never>

    private struct Waiter: Sendable {
        let ticket: UInt64
        let deadline: Deadline
        /// Nil until the task is suspended.
        var continuation: Continuation?
    }

    private var waiters: [Key: Waiter] = [:]
    private var lastTicket: UInt64 = 0

    /// Takes the key's only place. Nil when another task has it.
    mutating func reserve(_ key: Key, until deadline: Deadline) -> UInt64? {
        guard waiters[key] == nil else { return nil }
        lastTicket += 1
        waiters[key] = Waiter(ticket: lastTicket, deadline: deadline)
        return lastTicket
    }

    /// Whether this reservation still holds.
    func isReserved(_ key: Key, _ ticket: UInt64) -> Bool { waiters[key]?.ticket == ticket }

    mutating func suspend(_ key: Key, _ continuation: Continuation) {
        waiters[key]?.continuation = continuation
    }

    /// Whether the key's place is taken.
    func isReserved(_ key: Key) -> Bool { waiters[key] != nil }

    var isEmpty: Bool { waiters.isEmpty }

    /// Whether a task is suspended for this key.
    func isSuspended(_ key: Key) -> Bool { waiters[key]?.continuation != nil }

    /// Ends a wait. Returns whom to tell, when the task is suspended already.
    mutating func remove(_ key: Key) -> Continuation? {
        waiters.removeValue(forKey: key)?.continuation
    }

    var suspendedKeys: [Key] { waiters.keys.filter(isSuspended) }

    /// Ends the waits that are over; lowers `next` to the earliest deadline of the others.
    mutating func expire(_ now: Deadline, next: inout Deadline) -> [Continuation] {
        var expired: [Continuation] = []
        for (key, waiter) in waiters {
            guard let continuation = waiter.continuation else { continue }
            if waiter.deadline <= now {
                waiters[key] = nil
                expired.append(continuation)
            } else if waiter.deadline < next {
                next = waiter.deadline
            }
        }
        return expired
    }
}
