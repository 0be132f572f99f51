import XenCore

// Who waits for a port, and whom to tell of it.
extension PortScheduler {
    /// Somebody to be told that a wait is over.
    package struct Woken: Hashable, Sendable {
        package enum Reason: Hashable, Sendable {
            /// A port can ring again, and its count is now this. For a sequence: so there is a batch to take.
            case activated(count: UInt64)
            case timedOut
            /// The port was closed.
            case closed
        }

        package let ticket: UInt64
        package let reason: Reason
    }

    struct Waiter: Hashable {
        let ticket: UInt64
        let count: UInt64
        let deadline: Instant
    }

    /// How a wait begins.
    package enum WaitStart: Hashable, Sendable {
        case over(Woken.Reason)
        case waiting(ticket: UInt64)
    }

    /// How often the port has become able to ring again; nil when it was closed.
    package func activationCount(of id: PortID) -> UInt64? {
        table.find(id).map { table.entries[$0].activationCount }
    }

    package func counters(of id: PortID) -> EventThread.PortCounters? {
        table.find(id).map { table.entries[$0].counters }
    }

    /// Waits until the port's count exceeds `count`. Look first, then wait after the count from before the look.
    package mutating func wait(
        for id: PortID, after count: UInt64, until deadline: Instant
    ) -> WaitStart {
        guard let index = table.find(id) else { return .over(.closed) }
        table.entries[index].hasWorked =
            table.entries[index].hasWorked || !table.entries[index].hasHandler
        if table.entries[index].activationCount > count {
            return .over(.activated(count: table.entries[index].activationCount))
        }
        let ticket = nextTicket()
        table.entries[index].waiters.append(
            Waiter(ticket: ticket, count: count, deadline: deadline))
        hastenTime(to: deadline)
        // What rang while nobody waited was kept masked; now somebody does.
        if !table.entries[index].hasHandler && table.entries[index].state == .held {
            makeReady(index)
        }
        return .waiting(ticket: ticket)
    }

    /// Ends a wait without a word: its waiter has been told by someone else.
    package mutating func cancelWait(_ ticket: UInt64, for id: PortID) {
        guard let index = table.find(id) else { return }
        table.entries[index].waiters.removeAll { $0.ticket == ticket }
    }

    /// Whom to tell what. Empty, and without cost, when there is nobody.
    package mutating func takeWoken() -> [Woken] {
        if woken.isEmpty { return [] }
        defer { woken = [] }
        return woken
    }

    private mutating func nextTicket() -> UInt64 {
        lastTicket += 1
        return lastTicket
    }

    mutating func wakeSatisfied(_ index: ServedPorts.Index) {
        noteInSubscriptions(index)
        guard !table.entries[index].waiters.isEmpty else { return }
        let count = table.entries[index].activationCount
        wake(index, .activated(count: count)) { $0.count < count }
    }

    mutating func wakeAll(_ index: ServedPorts.Index, _ reason: Woken.Reason) {
        wake(index, reason) { _ in true }
    }

    mutating func expireWaiters(of index: ServedPorts.Index, _ now: Instant) {
        wake(index, .timedOut) { $0.deadline <= now }
        if let next = table.entries[index].waiters.map(\.deadline).min() { hastenTime(to: next) }
    }

    private mutating func wake(
        _ index: ServedPorts.Index, _ reason: Woken.Reason, where isOver: (Waiter) -> Bool
    ) {
        for waiter in table.entries[index].waiters where isOver(waiter) {
            woken.append(Woken(ticket: waiter.ticket, reason: reason))
            table.entries[index].hasWorked =
                table.entries[index].hasWorked || !table.entries[index].hasHandler
        }
        table.entries[index].waiters.removeAll(where: isOver)
    }
}

// Sequences of batches.
extension PortScheduler {
    /// What a sequence has not taken yet: at most one entry a port.
    struct Subscription: Hashable {
        let ticket: UInt64
        /// Nil: all ports.
        let ports: Set<PortID>?
        var pending: [PortID: UInt64] = [:]
        /// In the order in which the ports rang.
        var order: [PortID] = []
        var isWaiting = false
    }

    /// Begins to note which of these ports ring; of all ports, those to come as well, if nil.
    package mutating func subscribe(to ports: Set<PortID>?) -> UInt64 {
        let ticket = nextTicket()
        subscriptions.append(Subscription(ticket: ticket, ports: ports))
        return ticket
    }

    package mutating func unsubscribe(_ ticket: UInt64) {
        subscriptions.removeAll { $0.ticket == ticket }
    }

    /// What has rung since the last batch; nil when nothing has: then the ticket is woken when something does.
    package mutating func takeBatch(_ ticket: UInt64) -> EventBatch? {
        guard let position = subscriptions.firstIndex(where: { $0.ticket == ticket }) else {
            return nil
        }
        noteAwaited(by: position)
        guard !subscriptions[position].order.isEmpty else {
            subscriptions[position].isWaiting = true
            return nil
        }
        let taken = subscriptions[position]
        subscriptions[position].order = []
        subscriptions[position].pending = [:]
        return EventBatch(
            entries: taken.order.compactMap { id in
                table.find(id).map { index in
                    EventBatch.Entry(
                        id: id, port: table.entries[index].port, count: taken.pending[id] ?? 0)
                }
            })
    }

    mutating func dropFromSubscriptions(_ id: PortID) {
        for position in subscriptions.indices
        where subscriptions[position].pending.removeValue(forKey: id) != nil {
            subscriptions[position].order.removeAll { $0 == id }
        }
    }

    fileprivate mutating func noteInSubscriptions(_ index: ServedPorts.Index) {
        for position in subscriptions.indices { note(index, in: position) }
    }

    private mutating func note(_ index: ServedPorts.Index, in position: Int) {
        let id = table.id(of: index)
        if let ports = subscriptions[position].ports, !ports.contains(id) { return }
        subscriptions[position].pending[id, default: 0] += 1
        if subscriptions[position].pending[id] == 1 { subscriptions[position].order.append(id) }
        guard subscriptions[position].isWaiting else { return }
        subscriptions[position].isWaiting = false
        let reason = Woken.Reason.activated(count: table.entries[index].activationCount)
        woken.append(Woken(ticket: subscriptions[position].ticket, reason: reason))
    }

    /// Ports without a handler that this sequence looks at are not storming: somebody wants to know of them.
    private mutating func noteAwaited(by position: Int) {
        for id in subscriptions[position].order {
            guard let index = table.find(id), !table.entries[index].hasHandler else { continue }
            table.entries[index].hasWorked = true
            if table.entries[index].state == .held { makeReady(index) }
        }
    }
}
