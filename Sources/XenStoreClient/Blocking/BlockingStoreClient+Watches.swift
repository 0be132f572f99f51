public import XenCore
public import XenStoreWire

/// A watch of a blocking client, which tells its events by `nextEvent`.
public struct BlockingWatch: Hashable, Sendable {
    public let path: StorePath
    let id: WatchID
}

extension BlockingStoreClient {
    /// Tells of changes at and below a path, from now until `end(_:)`. At most `limit` events wait to be taken; then they
    /// become one `.overflow`. Throws as `StoreAccess`.
    ///
    /// - Parameter depth: as for `StoreClient.watch`.
    public func watch(
        _ path: StorePath, depth: UInt32? = nil, limit: Int = 256
    ) throws(StoreError) -> BlockingWatch {
        let deadline = requestDeadline
        let (id, handle) = try core.addWatch(path, depth: depth, limit: limit, until: deadline)
        _ = core.submit(handle)
        while true {
            guard let result = core.takeCompletion(of: handle) else {
                advance(until: deadline)
                continue
            }
            if case .failure(let error) = result {
                core.removeWatch(id, now: .now)
                throw error
            }
            return BlockingWatch(path: path, id: id)
        }
    }

    /// Ends a watch. The server is told with the next request.
    public func end(_ watch: BlockingWatch) { core.removeWatch(watch.id, now: .now) }

    /// Blocks until one of the watches has an event, and takes it; they take turns.
    ///
    /// Throws `.timedOut` at the deadline, and as `StoreWatch.next(until:)`.
    public func nextEvent(
        until deadline: Deadline
    ) throws(StoreError) -> (watch: BlockingWatch, event: WatchEvent) {
        var hasLooked = false
        while true {
            if let next = try takeEvent() { return next }
            if let end = core.end { throw end }
            guard !hasLooked || !deadline.hasPassed else {
                throw StoreError(.timedOut, "no event came before the deadline")
            }
            advance(until: deadline)
            hasLooked = true
        }
    }

    private func takeEvent() throws(StoreError) -> (watch: BlockingWatch, event: WatchEvent)? {
        while let id = core.takeSignal() {
            guard let watch = core.watches[id], let event = try core.nextEvent(id) else { continue }
            if core.watches[id]?.queue.isReady == true { core.signal(id) }
            return (BlockingWatch(path: watch.path, id: id), event)
        }
        return nil
    }
}
