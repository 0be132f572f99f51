import XenCore
import XenStoreWire

/// A store of whatever make, one request at a time, and all that its connections hear of it.
protocol TestedStore: AnyObject {
    var server: ServerName { get }

    /// Opens a connection, if it is not open.
    func connect(_ name: ConnectionName) throws

    /// Makes one request. Its transaction and payload need not make sense.
    func perform(
        _ operation: StoreOperation, _ transaction: TransactionID, _ payload: [UInt8],
        on name: ConnectionName
    ) throws -> [Heard]

    /// A domain has been made, and the store is told of it.
    func introduce(_ domain: DomainID) throws -> [Heard]

    /// Xen says that the domain has gone.
    func release(_ domain: DomainID) throws -> [Heard]
}
