import DequeModule
import XenCore
import XenStoreWire

/// The client's side of the protocol as a value: requests, the server's bytes, lost and new connections and the time
/// in; bytes to send, answers and watch events out. No byte of the server can do more than end the connection.
///
/// Each connection is an epoch. What the core was asked for outlives it where that is safe:
///
/// | | not sent | sent, changes nothing | sent, changes something |
/// |---|---|---|---|
/// | outside a transaction | sent | sent again | `.outcomeUnknown` |
/// | in a transaction | `.conflict` | `.conflict` | `.conflict`; a commit `.outcomeUnknown` |
///
/// Watches are set again, and each tells `.lookAgain` once.
struct ClientCore: Sendable {
    /// Whether there is a connection.
    enum Link: Hashable, Sendable {
        case connected
        /// It was lost. The next attempt is due at this time.
        case lost(retryAt: Deadline)
        /// It is gone for good.
        case ended(StoreError)
    }

    /// A request's end.
    struct Completion: Sendable {
        let handle: RequestHandle
        let result: Result<Answer, StoreError>
    }

    /// A reply's payload, and the epoch in which it came.
    struct Answer: Hashable, Sendable {
        let payload: [UInt8]
        let epoch: Epoch
    }

    let policy: ReconnectPolicy
    /// How long what the core itself asks for may take.
    let patience: Duration
    /// Whether a lost connection may be followed by another.
    let canReconnect: Bool

    var link = Link.lost(retryAt: Deadline(sinceEpoch: .zero))
    /// The current connection's, or the last one's.
    var epoch = Epoch.none
    var traits = LinkTraits()
    var counters = ClientCounters()

    var requests = PendingRequests()
    /// Requests that are not among the outgoing bytes yet; one that has ended may still be named here.
    var queue: Deque<RequestHandle> = []
    /// How many of those have ended.
    var queuedEndCount = 0
    var watches: [WatchID: ClientWatch] = [:]
    var lastWatch: UInt64 = 0
    /// Watches that are still to be set in this epoch.
    var unrestored: Deque<WatchID> = []
    /// How many watches the server has been asked to set in this epoch, and has not answered.
    var restoringCount = 0

    var parser = PacketParser()
    var output = OutgoingPackets()
    /// How many requests were encoded in this epoch and have no reply.
    var unansweredCount = 0
    var lastEncoded: RequestHandle?
    /// What this epoch's server has answered ENOSYS to, a bit for each operation.
    var unknownOperations: UInt64 = 0
    /// How many requests nobody waits for any more, but the server still owes a reply to.
    var withdrawnCount = 0
    /// Why the current connection had better be given up.
    var complaint: StoreError?
    /// Attempts to connect since the connection worked.
    var attemptCount = 0
    /// Not later than any deadline in here.
    var nextLook = Deadline.never

    /// What has ended since the shell looked last.
    var completions: [Completion] = []
    /// Watches that have something to take, each once.
    var signalled: Deque<WatchID> = []

    init(
        policy: ReconnectPolicy = ReconnectPolicy(), patience: Duration = .seconds(5),
        canReconnect: Bool = true
    ) {
        self.policy = policy
        self.patience = patience
        self.canReconnect = canReconnect
    }

    /// Why there will be no other connection; nil while there may be.
    var end: StoreError? {
        if case .ended(let error) = link { error } else { nil }
    }

    /// How a request ended, if it has; told once.
    mutating func takeCompletion(of handle: RequestHandle) -> Result<Answer, StoreError>? {
        guard let index = completions.lastIndex(where: { $0.handle == handle }) else { return nil }
        return completions.remove(at: index).result
    }

    /// What has ended; each is told once.
    mutating func takeCompletions() -> [Completion] {
        defer { completions = [] }
        return completions
    }

    /// A watch that has something to take, and was not named since it got that.
    mutating func takeSignal() -> WatchID? {
        while let id = signalled.popFirst() {
            guard watches[id] != nil else { continue }
            watches[id]?.isSignalled = false
            return id
        }
        return nil
    }

    mutating func signal(_ id: WatchID) {
        guard watches[id]?.isSignalled == false else { return }
        watches[id]?.isSignalled = true
        signalled.append(id)
    }

    mutating func complete(_ handle: RequestHandle, _ result: Result<Answer, StoreError>) {
        completions.append(Completion(handle: handle, result: result))
    }

    /// Ends a request without telling anybody.
    @discardableResult
    mutating func removeRequest(_ handle: RequestHandle) -> PendingRequest? {
        guard let pending = requests.remove(handle) else { return nil }
        switch pending.stage {
        case .reserved: break
        case .queued: leaveQueue()
        case .encoded: unansweredCount -= 1
        }
        if pending.isWithdrawn { withdrawnCount -= 1 }
        return pending
    }

    /// How many ended requests the queue may name: fewer than a slot's handles, so that none of them comes again.
    private static let queuedEndLimit = 1024

    /// A request of the queue has ended: now and then all such are dropped, at a few steps for each.
    private mutating func leaveQueue() {
        queuedEndCount += 1
        guard queuedEndCount >= Self.queuedEndLimit else { return }
        queue.removeAll { !requests.isQueued($0) }
        queuedEndCount = 0
    }
}

extension Deadline {
    /// Later than any that a caller means.
    static let never = Deadline(sinceEpoch: .seconds(1 << 40))
}
