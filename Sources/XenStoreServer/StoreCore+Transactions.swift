import XenCore
import XenStoreWire

extension StoreCore {
    mutating func start(_ context: RequestContext) throws(StoreErrorName) -> TransactionID {
        guard context.transaction == .none else { throw .busy }
        guard var connection = connections[context.connection] else { throw .inputOutput }
        guard context.client.isPrivileged || connection.transactions.count < quota.transactions
        else {
            throw .noSpace
        }
        var id = TransactionID.none
        repeat {
            connection.lastTransaction &+= 1
            id = TransactionID(rawValue: connection.lastTransaction)
        } while id == .none || connection.transactions[id] != nil
        connection.transactions[id] = StoreTransaction(on: tree)
        connections[context.connection] = connection
        return id
    }

    /// Ends the transaction, whatever comes of it.
    mutating func end(_ commit: Bool, _ context: inout RequestContext) throws(StoreErrorName) {
        let transaction = connections[context.connection]?.transactions
            .removeValue(forKey: context.transaction)
        guard let transaction else { throw .noEntry }
        guard commit else { return }
        guard !transaction.isDoomed else { throw .noMemory }
        let (committed, changes) = try transaction.committed(to: tree)
        let client = context.client
        guard
            client.isPrivileged
                || committed.ownedCount(of: client.domain)
                    <= max(quota.nodes, tree.ownedCount(of: client.domain))
        else {
            throw .noSpace
        }
        tree = committed
        context.outputs += events(for: changes)
    }
}
