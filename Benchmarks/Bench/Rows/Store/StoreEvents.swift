import CStoreLoad

extension Row {
    static var storeEvents: Row {
        Row(
            name: "xs-watch",
            summary:
                "a write on one connection, its event on another, and its reply; \(storeSetting)"
        ) {
            let servers = try ([.ours] + StoreServerKind.daemons).map { try WatchedServer($0) }
            let contenders = servers.map { server in
                Contender(
                    name: server.name, bar: server.name == "ours" ? nil : .atMost(0.6),
                    carry: server.carry)
            }
            return [
                Contest(
                    name: "write to event", measure: .time(per: "event"), leastCount: 64,
                    remark: StoreServerKind.remark, ours: contenders[0],
                    peers: Array(contenders.dropFirst()))
            ]
        }
    }
}

/// A server, somebody who writes, and somebody who watches.
private final class WatchedServer {
    private let server: StoreProcess
    private let writer: StoreLoad
    private let watcher: StoreLoad

    init(_ kind: StoreServerKind) throws {
        server = try StoreProcess(kind)
        try server.fill()
        writer = try StoreLoad(server)
        watcher = try StoreLoad(server)
        try watcher.run(cstore_plan(CSTORE_WATCH_BENCH), 1)
    }

    var name: String { server.kind.name }

    func carry(_ count: UInt64) throws -> Outcome {
        Outcome(sum: try writer.runEvents(count, at: watcher).sum)
    }
}
