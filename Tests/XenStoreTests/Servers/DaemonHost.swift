import StoreDaemons
import XenCore
import XenStoreWire

/// One of Xen's daemons, with guests on raw rings.
final class DaemonHost: StoreHost {
    private let daemon: StoreDaemon
    private var guests: [DomainID: GuestTransport] = [:]

    init(_ kind: DaemonKind) throws { daemon = try StoreDaemon(kind) }

    deinit { daemon.stop() }

    var server: ServerName {
        switch daemon.kind {
        case .c: .xenstored
        case .ocaml: .oxenstored
        }
    }

    var ending: String? { daemon.ending }

    func connect() throws -> PacketConnection { try PacketConnection(to: daemon.socket) }

    func makeGuest(_ domain: DomainID) throws -> EventPort? {
        guests[domain] = try daemon.makeGuest(domain)
        return nil
    }

    func introduce(_ domain: DomainID) throws { try daemon.introduce(domain) }

    func connect(as domain: DomainID) throws -> any ByteTransport {
        guard let guest = guests[domain] else { throw DaemonFailure("no page of \(domain)") }
        return guest
    }

    func removeGuest(_ domain: DomainID) throws {
        guests[domain] = nil
        try daemon.removeGuest(domain)
    }
}

extension StoreDaemon {
    /// As the toolstack does for a domain that it has built.
    func introduce(_ domain: DomainID) throws {
        let port = Int(domain.rawValue) + 16
        let reply = try PacketConnection(to: socket).exchange(
            .introduce, payload: Script.octets("\(domain.rawValue)|1|\(port)|"))
        guard reply.last?.operation == .introduce else {
            throw DaemonFailure("\(kind) refused to introduce \(domain): \(reply)")
        }
    }
}
