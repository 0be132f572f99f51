public import XenCore

extension RequestTable {
    /// Lets go of one request: its caller no longer waits. Its slot stays taken until the peer
    /// answers.
    ///
    /// - Returns: its payload; nil if no request of this id waits.
    @inlinable
    public mutating func abandon(_ id: ID) -> Payload? {
        guard layout.isOf(epoch, id), let slot = slot(lastUsedBy: id),
            case .waiting(_, let payload) = entries[slot].state
        else { return nil }
        abandon(slot: slot)
        return payload
    }

    /// Lets go of all requests that `shouldEnd` names. It is asked of each that waits, oldest
    /// first.
    ///
    /// - Returns: their payloads, oldest first.
    public mutating func abandon<E>(
        where shouldEnd: (Payload) throws(E) -> Bool
    ) throws(E) -> [Payload] {
        var ended: [Payload] = []
        var slot = Int(oldest)
        while slot >= 0 {
            let next = Int(entries[slot].next)
            if case .waiting(_, let payload) = entries[slot].state, try shouldEnd(payload) {
                abandon(slot: slot)
                ended.append(payload)
            }
            slot = next
        }
        return ended
    }

    /// Takes back all that waits: it is to be issued again in another epoch. The slots stay taken,
    /// since the peer may still answer and write to their pages.
    ///
    /// - Returns: the requests, oldest first.
    public mutating func takeUnanswered() -> [IssuedRequest<Request, Payload>] {
        var unanswered: [IssuedRequest<Request, Payload>] = []
        unanswered.reserveCapacity(waiting)
        while oldest >= 0 {
            let slot = Int(oldest)
            if case .waiting(let request, let payload) = entries[slot].state {
                unanswered.append(IssuedRequest(slot: slot, request: request, payload: payload))
            }
            abandon(slot: slot)
        }
        return unanswered
    }

    /// Begins another epoch, with all slots free: for a new ring, whose requests have other pages
    /// than the old ones. What still comes with an older epoch's id is stale.
    ///
    /// - Returns: what waited, oldest first: issue it again.
    public mutating func begin(_ epoch: Epoch) -> [IssuedRequest<Request, Payload>] {
        precondition(epoch > self.epoch, "epochs go forward")
        let unanswered = takeUnanswered()
        self.epoch = epoch
        abandoned = 0
        firstFree = -1
        for slot in entries.indices.reversed() {
            entries[slot].useCount = 0
            free(slot)
        }
        return unanswered
    }

    @inlinable
    mutating func abandon(slot: Int) {
        guard case .waiting(let request, _) = entries[slot].state else { return }
        unlink(slot)
        entries[slot].state = .abandoned(request)
        waiting -= 1
        abandoned += 1
    }
}
