import StoreDaemons
import XenCore
import XenStoreServer
import XenStoreWire

/// A running server, and how to get connections to it.
protocol StoreHost: AnyObject {
    var server: ServerName { get }

    /// How it ended by itself; nil while it runs.
    var ending: String? { get }

    /// A new connection of dom0, on the server's socket.
    func connect() throws -> StoreConnection

    /// Makes a domain exist, and returns its way to the store, which works once the store is told of it.
    func makeGuest(_ domain: DomainID) throws -> any ByteTransport

    /// Tells the store of a domain that exists.
    func introduce(_ domain: DomainID) throws

    /// Makes a domain cease to exist. The store need not have noticed yet.
    func removeGuest(_ domain: DomainID) throws
}

extension StoreDaemon: StoreHost {
    var server: ServerName {
        switch kind {
        case .c: .xenstored
        case .ocaml: .oxenstored
        }
    }

    func connect() throws -> StoreConnection { try StoreConnection(to: socket) }

    func makeGuest(_ domain: DomainID) throws -> any ByteTransport {
        let guest: GuestTransport = try makeGuest(domain)
        return guest
    }

    func introduce(_ domain: DomainID) throws {
        let port = Int(domain.rawValue) + 16
        let reply = try connect().exchange(
            .introduce, payload: Script.octets("\(domain.rawValue)|1|\(port)|"))
        guard reply.last?.operation == .introduce else {
            throw DaemonFailure("\(kind) refused to introduce \(domain): \(reply)")
        }
    }
}

/// Our server on a socket, with guests in this process.
final class SocketServer: StoreHost {
    let server = ServerName.ours
    private let store: StoreServer
    private let socket: TemporarySocket

    init(quota: StoreQuota = StoreQuota()) throws {
        store = try StoreServer(quota: quota)
        socket = try TemporarySocket()
        try store.listen(path: socket.path)
    }

    deinit { store.stop() }

    var ending: String? { nil }

    func connect() throws -> StoreConnection { try StoreConnection(to: socket.path) }

    func makeGuest(_ domain: DomainID) throws -> any ByteTransport { try store.connect(as: domain) }

    func introduce(_ domain: DomainID) throws { try store.introduce(domain) }

    func removeGuest(_ domain: DomainID) throws { try store.release(domain) }
}
