public import XenCore
public import XenStoreWire

extension StoreClient {
    /// Suspends until a node is as wanted, and returns its value then; nil when it is not there.
    ///
    /// Throws as `wait(for:deadline:)`.
    @discardableResult
    public func wait(
        for path: StorePath, until condition: NodeCondition, deadline: Deadline
    ) async throws(StoreError) -> [UInt8]? {
        try await wait(for: .node(path, condition), deadline: deadline)[path]
    }

    /// Suspends until the condition holds, and returns the values of its nodes then; without those that are not there.
    ///
    /// It sets a watch on each node, reads all, and reads again after each event; so nothing is missed, in whatever
    /// epoch it happens, but a value that is soon overwritten. A request that takes too long is sent again. Throws
    /// `.timedOut` at the deadline, `.cancelled` at once when the task is, and as `StoreAccess`.
    @discardableResult
    public func wait(
        for condition: StoreCondition, deadline: Deadline
    ) async throws(StoreError) -> [StorePath: [UInt8]] {
        var watches: [StoreWatch] = []
        for path in condition.paths {
            watches.append(
                try await persisting(until: deadline) { deadline throws(StoreError) in
                    try await watch(path, limit: 1, until: deadline)
                })
        }
        while true {
            let values = try await values(of: watches.map(\.path), deadline)
            if condition.holds(of: values) { return values }
            try await nextEvent(of: watches, until: deadline)
        }
    }

    private func values(
        of paths: [StorePath], _ deadline: Deadline
    ) async throws(StoreError) -> [StorePath: [UInt8]] {
        var values: [StorePath: [UInt8]] = [:]
        for path in paths {
            do {
                values[path] = try await persisting(until: deadline) {
                    deadline throws(StoreError) in
                    try await perform(.read(path), until: deadline)
                }
            } catch  where error.name == .noEntry { continue }
        }
        return values
    }

    /// Tries until the deadline, as often as what it tries runs out of a request's time: an outage may last longer.
    private func persisting<Value: Sendable>(
        until deadline: Deadline, _ attempt: (Deadline) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        while true {
            do throws(StoreError) {
                return try await attempt(min(deadline, requestDeadline))
            } catch {
                guard error.code == .timedOut, !deadline.hasPassed, requestTimeout > .zero else {
                    throw error
                }
            }
        }
    }

    /// Suspends until one of the watches tells something.
    private func nextEvent(
        of watches: [StoreWatch], until deadline: Deadline
    ) async throws(StoreError) {
        if watches.count == 1 { return _ = try await watches[0].next(until: deadline) }
        let result = await withTaskGroup(of: EventResult.self) { group in
            for watch in watches {
                group.addTask {
                    do throws(StoreError) {
                        return .success(try await watch.next(until: deadline))
                    } catch { return .failure(error) }
                }
            }
            if watches.isEmpty { group.addTask { await Self.silence(until: deadline) } }
            let first = await group.next()
            // The others' events stay in their queues, or mean no more than the first: everything is read again.
            group.cancelAll()
            return first
        }
        _ = try result?.get()
    }

    /// A condition without nodes never changes.
    private static func silence(until deadline: Deadline) async -> EventResult {
        do { try await Task.sleep(until: deadline.instant, clock: .continuous) } catch {
            return .failure(StoreError(.cancelled, "the wait for a condition was cancelled"))
        }
        return .failure(StoreError(.timedOut, "a condition of no nodes does not come true"))
    }
}
