import StoreDaemons
import XenCore
import XenStoreWire

/// A running server, and how to get connections to it.
protocol StoreHost: AnyObject {
    var server: ServerName { get }

    /// How it ended by itself; nil while it runs.
    var ending: String? { get }

    /// A new connection of dom0, on the server's socket.
    func connect() throws -> PacketConnection

    /// Makes a domain exist, and returns the port of its that the store is to bind; nil where any will do.
    func makeGuest(_ domain: DomainID) throws -> EventPort?

    /// Tells the store of a domain that exists.
    func introduce(_ domain: DomainID) throws

    /// The way to the store of a domain that was introduced.
    func connect(as domain: DomainID) throws -> any ByteTransport

    /// Makes a domain cease to exist. The store need not have noticed yet.
    func removeGuest(_ domain: DomainID) throws
}
