import CStoreLoad

extension Row {
    static var storeSerial: Row {
        requests(
            "xs-serial", "one request at a time on one connection, in a store of 1000 nodes",
            Load(connections: 1, inFlight: 1), atMost: 1 / 1.8)
    }

    static var storePipelined: Row {
        requests(
            "xs-pipe", "16 requests in flight on one connection, in a store of 1000 nodes",
            Load(connections: 1, inFlight: 16), atMost: 1 / 10)
    }

    static var storeCrowd: Row {
        requests(
            "xs-64", "64 connections with one request each, in a store of 1000 nodes",
            Load(connections: 64, inFlight: 1), atMost: 1 / 1.5)
    }

    private static func requests(
        _ name: String, _ summary: String, _ load: Load, atMost bar: Double
    ) -> Row {
        Row(name: name, summary: "\(summary); \(Self.storeSetting)") {
            let servers = try ([.ours] + StoreServerKind.daemons + [.floor]).map {
                try FilledServer($0, load)
            }
            return StoreRequest.allCases.map { request in
                let contenders = servers.map { server in
                    Contender(
                        name: server.name, bar: server.isDaemon ? .atMost(bar) : nil,
                        doesSameWork: server.isDaemon
                    ) { try server.carry(request, $0) }
                }
                return Contest(
                    name: request.name, measure: .time(per: request.item), leastCount: 64,
                    remark: StoreServerKind.remark, ours: contenders[0],
                    peers: Array(contenders.dropFirst()))
            }
        }
    }

    /// What all of the store's rows have in common.
    static let storeSetting =
        "each server is a process of its own, on one processor with its clients, which are C and the same for all"
}

/// What is asked of a server.
enum StoreRequest: CaseIterable {
    case read, write, directory, transaction

    var name: String {
        switch self {
        case .read: "read"
        case .write: "write"
        case .directory: "directory of 10"
        case .transaction: "transaction: start, read, write, commit"
        }
    }

    var item: String { self == .transaction ? "transaction" : "request" }

    var work: cstore_work {
        switch self {
        case .read: CSTORE_READ
        case .write: CSTORE_WRITE
        case .directory: CSTORE_DIRECTORY
        case .transaction: CSTORE_TRANSACTION
        }
    }
}

private struct Load {
    let connections: Int
    let inFlight: UInt32
}

/// A server with 1000 nodes, and the connections that ask it.
private final class FilledServer {
    private let server: StoreProcess
    private let crowd: StoreLoad
    private let load: Load

    init(_ kind: StoreServerKind, _ load: Load) throws {
        self.load = load
        server = try StoreProcess(kind)
        try server.fill()
        crowd = try StoreLoad(server, connections: load.connections)
    }

    var name: String { server.kind.name }
    var isDaemon: Bool { server.kind != .ours && server.kind != .floor }

    func carry(_ request: StoreRequest, _ count: UInt64) throws -> Outcome {
        Outcome(
            sum: try crowd.run(cstore_plan(request.work, inFlight: load.inFlight), count).sum)
    }
}
