public import XenStoreWire

/// The store within a transaction: one moment of it, with the transaction's own changes.
public struct StoreTransaction: StoreAccess {
    let client: StoreClient
    let id: TransactionID

    public func perform(_ request: Request) async throws(StoreError) -> [UInt8] {
        try await client.connection.perform(request, in: id, until: client.requestDeadline)
    }
}

extension StoreClient {
    /// Runs `body` in a transaction: all of its changes are made, or none, and none of what it read has changed
    /// meanwhile.
    ///
    /// When another change conflicts, `body` runs again, up to `attempts` times with growing pauses. When it throws, the
    /// transaction is aborted. Throws what `body` throws, `.conflict` when the attempts are used up, and otherwise as
    /// `StoreAccess`.
    public func withTransaction<Result>(
        attempts: Int = 16, isolation: isolated (any Actor)? = #isolation,
        _ body: (StoreTransaction) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        for attempt in 0..<attempts {
            if attempt > 0 { try await pause(before: attempt) }
            let id = try Reply.transaction(try await perform(.transactionStart))
            let result: Result
            do {
                result = try await body(StoreTransaction(client: self, id: id))
            } catch {
                connection.performUnattended(.transactionEnd(commit: false), in: id)
                if error.name == .again { continue }
                throw error
            }
            if try await commit(id) { return result }
        }
        throw StoreError(
            .conflict, name: .again,
            "the transaction conflicted with others' changes in each of \(attempts) attempts; try again later"
        )
    }

    /// False when the transaction conflicts with another change.
    private func commit(_ id: TransactionID) async throws(StoreError) -> Bool {
        let end = Request.transactionEnd(commit: true)
        do {
            _ = try await connection.perform(end, in: id, until: requestDeadline)
            return true
        } catch  where error.name == .again {
            return false
        }
    }

    /// Doubling from 1 ms to 128 ms, of which a random half is left out, so that rivals get apart.
    private func pause(before attempt: Int) async throws(StoreError) {
        let longest = 1000 << min(attempt - 1, 7)
        do {
            try await Task.sleep(for: .microseconds(Int.random(in: longest / 2...longest)))
        } catch {
            throw StoreError(
                .cancelled, "the task was cancelled between two attempts of a transaction")
        }
    }
}
