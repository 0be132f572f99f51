import StoreDaemons
import XenCore
import XenStoreWire
import XenSystem

/// A server that runs, spoken to over sockets and rings.
///
/// After each request every connection asks for something harmless: what it hears before that reply is all that
/// the request caused.
final class WiredStore: TestedStore {
    private let host: any StoreHost
    /// Dom0's, which no test names: it introduces domains.
    private let toolstack: PacketConnection
    private var connections: [ConnectionName: PacketConnection] = [:]
    /// The domains that exist, with the port that the store has to bind where it matters.
    private var guests: [DomainID: EventPort?] = [:]
    /// Connections whose domain has gone: nobody hears on them any more.
    private var ended: Set<ConnectionName> = []

    var server: ServerName { host.server }

    init(_ host: any StoreHost) throws {
        self.host = host
        toolstack = try host.connect()
    }

    func connect(_ name: ConnectionName) throws {
        guard connections[name] == nil, !ended.contains(name) else { return }
        if name.domain == .dom0 {
            connections[name] = try host.connect()
        } else {
            _ = try introduce(name.domain)
        }
    }

    func perform(
        _ operation: StoreOperation, _ transaction: TransactionID, _ payload: [UInt8],
        on name: ConnectionName
    ) throws -> [Heard] {
        try connect(name)
        guard let connection = connections[name] else { return [] }
        let payload = operation == .introduce ? try introduction(payload) : payload
        let wasClosed = connection.isClosed
        let packets = try named(name) {
            try connection.exchange(operation, transaction, payload: payload)
        }
        var heard = packets.map { Heard(name, $0) }
        if connection.isClosed, !wasClosed { heard.append(Heard(name, .closed)) }
        return heard + (try listen())
    }

    func introduce(_ domain: DomainID) throws -> [Heard] {
        if guests[domain] == nil { guests.updateValue(try host.makeGuest(domain), forKey: domain) }
        try host.introduce(domain)
        if let name = ConnectionName("\(domain.rawValue)"), connections[name] == nil {
            let host = host
            connections[name] = PacketConnection(over: try host.connect(as: domain)) {
                host.ending == nil
            }
            ended.remove(name)
        }
        return try listen()
    }

    func release(_ domain: DomainID) throws -> [Heard] {
        try host.removeGuest(domain)
        let deadline = Deadline.after(.seconds(20))
        while try isIntroduced(domain) {
            guard !deadline.hasPassed else {
                throw DaemonFailure("\(server) did not notice that \(domain) has gone")
            }
            try pause(.milliseconds(1))
        }
        guests.removeValue(forKey: domain)
        // A ring ends in silence.
        let gone = connections.keys.filter { $0.domain == domain }
        for name in gone { connections[name] = nil }
        ended.formUnion(gone)
        return gone.map { Heard($0, .closed) } + (try listen())
    }

    /// A domain that a request introduces has to exist, and its port to be its own.
    private func introduction(_ payload: [UInt8]) throws -> [UInt8] {
        let fields = Fields.all(payload) ?? []
        guard fields.count == 3, let number = UInt16(decimal: fields[0]) else { return payload }
        let domain = DomainID(number)
        guard domain != .dom0, domain < .firstReserved, guests[domain] == nil else {
            return payload
        }
        let port = try host.makeGuest(domain)
        guests.updateValue(port, forKey: domain)
        guard let port, UInt32(decimal: fields[2]) != 0 else { return payload }
        return Fields.encode([Array(fields[0]), Array(fields[1]), decimal(port.rawValue)])
    }

    private func isIntroduced(_ domain: DomainID) throws -> Bool {
        let reply = try toolstack.exchange(
            .isDomainIntroduced, payload: Script.octets("\(domain.rawValue)|"))
        return reply.last?.payload == Script.octets("T|")
    }

    private func listen() throws -> [Heard] {
        var heard: [Heard] = []
        for name in connections.keys.sorted() {
            guard let connection = connections[name], !connection.isClosed else { continue }
            let packets = try named(name) {
                try connection.exchange(.getDomainPath, payload: Script.octets("0|"))
            }
            heard += packets.filter { $0.operation == .watchEvent }.map { Heard(name, $0) }
            if connection.isClosed { heard.append(Heard(name, .closed)) }
        }
        return heard
    }

    /// Says which connection a failure is of.
    private func named<Result>(_ name: ConnectionName, _ body: () throws -> Result) throws -> Result
    {
        do { return try body() } catch {
            throw DaemonFailure(
                "\(server), connection \(name): \(error)\(host.ending.map { "; \($0)" } ?? "")")
        }
    }
}
