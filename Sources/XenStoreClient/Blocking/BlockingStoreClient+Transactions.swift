public import XenStoreWire
import XenSystem

extension BlockingStoreClient {
    /// Runs `body` in a transaction, again when it conflicts or its connection is lost.
    ///
    /// Throws as `StoreClient.withTransaction`.
    public func withTransaction<Result>(
        attempts: Int = 16, _ body: (BlockingTransaction) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        for attempt in 0..<attempts {
            if attempt > 0 { rest(before: attempt) }
            let start = try perform(.transactionStart, in: .none, until: requestDeadline)
            let transaction = BlockingTransaction(client: self, scope: try start.transaction)
            let result: Result
            do {
                result = try body(transaction)
            } catch {
                core.tidyUp(
                    .transactionEnd(commit: false), in: transaction.scope, until: requestDeadline)
                if error.name == .again { continue }
                throw error
            }
            if try commit(transaction) { return result }
        }
        throw TransactionPause.conflict(attempts: attempts)
    }

    private func commit(_ transaction: BlockingTransaction) throws(StoreError) -> Bool {
        do {
            _ = try transaction.perform(.transactionEnd(commit: true))
            return true
        } catch  where error.name == .again {
            return false
        }
    }

    private func rest(before attempt: Int) {
        let duration = TransactionPause.duration(
            before: attempt, random: .random(in: .min ... .max))
        // A failure of poll(2) without descriptors ends the pause early.
        try? pause(duration)
    }
}
