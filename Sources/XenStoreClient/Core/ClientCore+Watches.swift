import XenCore
import XenStoreWire

extension ClientCore {
    /// Makes a watch, for which events are kept from now on, and reserves the request that asks the server
    /// to set it.
    ///
    /// Throws as `reserve`. When the request fails the watch has to be removed.
    mutating func addWatch(
        _ path: StorePath, depth: UInt32? = nil, limit: Int, until deadline: Deadline
    ) throws(StoreError) -> (WatchID, RequestHandle) {
        let id = WatchID(rawValue: lastWatch + 1)
        let watch = ClientWatch(path: path, depth: depth, queue: WatchQueue(limit: limit))
        let handle = try reserve(
            watch.registration(id, in: epoch), until: deadline, for: .registration(id))
        lastWatch += 1
        watches[id] = watch
        return (id, handle)
    }

    /// Drops a watch's events, and takes it back from the server if it was set.
    mutating func removeWatch(_ id: WatchID, now: Deadline) {
        guard let watch = watches.removeValue(forKey: id), watch.stage != .registering else {
            return
        }
        tidyUp(
            .unwatch(watch.path, token: WatchToken(id, in: epoch).bytes), until: now + patience)
    }

    /// The oldest event; nil when none waits. Throws what ended the watch.
    mutating func nextEvent(_ id: WatchID) throws(StoreError) -> WatchEvent? {
        try watches[id]?.queue.next()
    }

    /// The request as it goes out in this epoch: a watch's token names it.
    func current(_ pending: PendingRequest) -> Request {
        guard case .registration(let id) = pending.purpose,
            case .watch(let path, _, let depth) = pending.request
        else { return pending.request }
        return .watch(path, token: WatchToken(id, in: epoch).bytes, depth: depth)
    }

    /// The server has answered a WATCH that sets a watch again. After the last one others follow, with the time that
    /// `expire` knows.
    mutating func settleRestoration(_ id: WatchID, _ error: StoreError?) {
        settle(id, error)
        restoringCount -= 1
        if restoringCount == 0, !unrestored.isEmpty {
            look(notLaterThan: Deadline(sinceEpoch: .zero))
        }
    }

    /// The server has answered a WATCH.
    mutating func settle(_ id: WatchID, _ error: StoreError?) {
        guard let watch = watches[id] else { return }
        switch (watch.stage, error) {
        case (.registering, nil): watches[id]?.stage = .established
        case (.registering, .some), (.established, nil), (.restoring, nil): break
        // In a new epoch. Its first event may have come before the reply.
        case (.established, let error?), (.restoring, let error?):
            guard error.code == .refused else { return complaint = error }
            watches[id]?.queue.finish(error)
            watches[id]?.stage = .established
            signal(id)
        }
    }
}
