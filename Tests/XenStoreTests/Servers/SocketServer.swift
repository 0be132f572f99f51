import StoreDaemons
import XenCore
import XenStoreServer
import XenStoreWire

/// Our server on a socket, with guests in this process.
final class SocketServer: StoreHost {
    let server = ServerName.ours
    private let store: StoreServer
    private let socket: TemporarySocket

    init() throws {
        store = try StoreServer()
        socket = try TemporarySocket()
        try store.listen(path: socket.path)
    }

    deinit { store.stop() }

    var ending: String? { nil }

    func connect() throws -> PacketConnection { try PacketConnection(to: socket.path) }

    func makeGuest(_ domain: DomainID) -> EventPort? { nil }

    func introduce(_ domain: DomainID) throws { try store.introduce(domain) }

    func connect(as domain: DomainID) throws -> any ByteTransport { try store.connect(as: domain) }

    func removeGuest(_ domain: DomainID) throws { try store.release(domain) }
}
