public import XenStoreWire

/// The store within a transaction: one moment of it, with the transaction's own changes.
///
/// Once its connection is lost every call throws `.conflict`.
public struct StoreTransaction: StoreAccess {
    let client: StoreClient
    let scope: TransactionScope

    public func perform(_ request: Request) async throws(StoreError) -> [UInt8] {
        try await client.connection.perform(request, in: scope, until: client.requestDeadline)
    }
}

extension StoreClient {
    /// Runs `body` in a transaction: all of its changes are made, or none, and none of what it read has changed
    /// meanwhile.
    ///
    /// When another change conflicts, or the connection is lost, `body` runs again, up to `attempts` times with growing
    /// pauses. When it throws, the transaction is aborted. Throws what `body` throws, `.conflict` when the attempts are
    /// used up, `.outcomeUnknown` when the connection was lost during the commit, and otherwise as `StoreAccess`.
    public func withTransaction<Result>(
        attempts: Int = 16, isolation: isolated (any Actor)? = #isolation,
        _ body: (StoreTransaction) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        for attempt in 0..<attempts {
            if attempt > 0 { try await pause(before: attempt) }
            let transaction = StoreTransaction(client: self, scope: try await startTransaction())
            let result: Result
            do {
                result = try await body(transaction)
            } catch {
                connection.tidyUp(.transactionEnd(commit: false), in: transaction.scope)
                if error.name == .again { continue }
                throw error
            }
            if try await commit(transaction) { return result }
        }
        throw TransactionPause.conflict(attempts: attempts)
    }

    private func startTransaction() async throws(StoreError) -> TransactionScope {
        try await connection.startTransaction(until: requestDeadline)
    }

    /// False when the transaction conflicts with another change, or its connection is lost and it was not sent.
    private func commit(_ transaction: StoreTransaction) async throws(StoreError) -> Bool {
        do {
            _ = try await transaction.perform(.transactionEnd(commit: true))
            return true
        } catch  where error.name == .again {
            return false
        }
    }

    private func pause(before attempt: Int) async throws(StoreError) {
        do {
            try await Task.sleep(
                for: TransactionPause.duration(before: attempt, random: .random(in: .min ... .max)))
        } catch {
            throw StoreError(
                .cancelled, "the task was cancelled between two attempts of a transaction")
        }
    }
}

/// The pauses between the attempts of a transaction.
enum TransactionPause {
    private static let policy = ReconnectPolicy(
        shortestPause: .milliseconds(1), longestPause: .milliseconds(128))

    /// Doubling from 1 ms to 128 ms, of which a random half is left out, so that rivals get apart.
    static func duration(before attempt: Int, random: UInt64) -> Duration {
        policy.pause(before: attempt - 1, random: random)
    }

    static func conflict(attempts: Int) -> StoreError {
        StoreError(
            .conflict, name: .again,
            "the transaction conflicted with others' changes in each of \(attempts) attempts; try again later"
        )
    }
}
