import CStoreLoad
import Foundation

extension Row {
    static var storeNodes: Row {
        Row(
            name: "xs-nodes",
            summary: "1 k to 1 M nodes of 8 bytes, three levels deep; \(storeSetting)"
        ) {
            let scene = try Scene(.nodes)
            return [1000, 100_000, 1_000_000].flatMap { count in
                [StoreRequest.read, .write].map { scene.contest($0, at: count) }
            } + [scene.worstPause(), scene.bytesPerNode()]
        }
    }

    static var storeConnections: Row {
        scale(
            "xs-conns", "0 to 4096 other connections that do nothing", .connections,
            [0, 64, 256, 1024, 4096], [.read])
    }

    static var storeWatches: Row {
        scale(
            "xs-watches", "0 to 30 k watches of another connection, on other paths", .watches,
            [0, 1000, 10_000, 30_000], [.write])
    }

    static var storeTransactions: Row {
        scale(
            "xs-txn", "0 to 1000 open transactions of another connection, each with a write",
            .transactions, [0, 100, 1000], [.write, .transaction])
    }

    private static func scale(
        _ name: String, _ summary: String, _ burden: Burden, _ counts: [Int],
        _ requests: [StoreRequest]
    ) -> Row {
        Row(name: name, summary: "\(summary); one request at a time; \(storeSetting)") {
            let scene = try Scene(burden)
            return counts.flatMap { count in requests.map { scene.contest($0, at: count) } }
        }
    }
}

/// What a server has more and more of.
private enum Burden: String {
    case nodes, connections, watches, transactions

    /// At which ours is compared with itself.
    var least: Int { self == .nodes ? 1000 : 0 }

    /// From which on it takes too long for a brief run.
    var longCount: Int {
        switch self {
        case .nodes: 100_000
        case .connections: 4096
        case .watches: 30_000
        case .transactions: .max
        }
    }

    var name: String {
        switch self {
        case .nodes: "nodes"
        case .connections: "idle connections"
        case .watches: "unrelated watches"
        case .transactions: "open transactions"
        }
    }
}

/// The servers of a row: ours, the daemons, and another one of ours that stays as it was.
private struct Scene {
    let burden: Burden
    let ours: BurdenedServer
    let unburdened: BurdenedServer
    let daemons: [BurdenedServer]

    init(_ burden: Burden) throws {
        self.burden = burden
        ours = try BurdenedServer(.ours, burden)
        unburdened = try BurdenedServer(.ours, burden)
        daemons = try StoreServerKind.daemons.map { try BurdenedServer($0, burden) }
    }

    /// To make a million nodes takes the daemons longer than a row may.
    private func daemons(at count: Int) -> [BurdenedServer] { count < 1_000_000 ? daemons : [] }

    func contest(_ request: StoreRequest, at count: Int) -> Contest {
        let least = burden.least
        var peers = daemons(at: count).map { server in
            Contender(name: server.name) { try server.carry(request, $0, at: count) }
        }
        if count > least {
            peers.append(
                Contender(
                    name: "ours, \(least) \(burden.rawValue)", bar: .atMost(1.2),
                    doesSameWork: burden != .nodes
                ) { try unburdened.carry(request, $0, at: least) })
        }
        return Contest(
            name:
                "\(request == .transaction ? "transaction" : request.name), \(count) \(burden.name)",
            measure: .time(per: request.item), share: 0.5,
            place: Place(line: "\(request), by number of \(burden.name)", size: count),
            leastCount: 16,
            isLong: count >= burden.longCount,
            remark: StoreServerKind.remark,
            ours: Contender { try ours.carry(request, $0, at: count) }, peers: peers)
    }

    func worstPause() -> Contest {
        let count = 100_000
        return Contest(
            name: "slowest of 20000 writes, \(count) nodes",
            measure: .figure(unit: "ns", in: 20_000),
            isLong: true, remark: StoreServerKind.remark,
            ours: Contender { try ours.slowest($0, at: count) },
            peers: [.fixed(5e6, "5 ms", bar: .atMost(1))]
                + daemons.map { server in
                    Contender(name: server.name) { try server.slowest($0, at: count) }
                })
    }

    func bytesPerNode() -> Contest {
        Contest(
            name: "memory of 100000 nodes", measure: .figure(unit: "bytes/node", in: 1),
            isLong: true,
            remark: StoreServerKind.remark,
            ours: Contender { _ in ours.bytesPerNode },
            peers: daemons.map { server in
                Contender(name: server.name) { _ in server.bytesPerNode }
            })
    }
}

/// A server, and what it was burdened with so far.
private final class BurdenedServer {
    private let server: StoreProcess
    private let load: StoreLoad
    private let burden: Burden
    private var count: Int
    /// What bears the burden, as idle connections.
    private var bearers: [StoreLoad] = []
    private var growth: (nodes: Int, byteCount: Int)?

    init(_ kind: StoreServerKind, _ burden: Burden) throws {
        self.burden = burden
        server = try StoreProcess(kind)
        load = try StoreLoad(server)
        try server.fill()
        count = burden.least
    }

    var kind: StoreServerKind { server.kind }
    var name: String { kind.name }

    func carry(_ request: StoreRequest, _ items: UInt64, at count: Int) throws -> Outcome {
        try reach(count)
        let start = ContinuousClock.now
        let result = try load.run(cstore_plan(request.work, nodes: nodes), items)
        return Outcome(sum: result.sum, amount: start.duration(to: .now) / .nanoseconds(1))
    }

    func slowest(_ items: UInt64, at count: Int) throws -> Outcome {
        try reach(count)
        var plan = cstore_plan(CSTORE_WRITE, nodes: UInt32(count))
        plan.is_timed = 1
        let result = try load.run(plan, items)
        return .figure(Double(result.worst), of: items, sum: result.sum)
    }

    /// What the nodes took in the end: resident memory is what it was at the most.
    var bytesPerNode: Outcome {
        let bytes = growth.map { Double($0.byteCount) / Double($0.nodes) } ?? 0
        return .figure(bytes, of: 1, sum: 0)
    }

    private var nodes: UInt32 { burden == .nodes ? UInt32(count) : 1000 }

    /// Adds what is missing. Cases come in ascending order, so that nothing has to be taken away.
    private func reach(_ wanted: Int) throws {
        guard wanted > count else { return }
        let added = wanted - count
        switch burden {
        case .nodes:
            let before = server.residentByteCount
            try server.fill(UInt32(wanted))
            if wanted == 100_000 { growth = (added, server.residentByteCount - before) }
        case .connections: bearers.append(try StoreLoad(server, connections: added))
        case .watches: try bear(CSTORE_WATCH, added)
        case .transactions: try bear(CSTORE_OPEN, added)
        }
        count = wanted
    }

    /// By a connection of its own, on paths of their own.
    private func bear(_ work: cstore_work, _ added: Int) throws {
        let bearer = try StoreLoad(server)
        try bearer.run(cstore_plan(work, inFlight: 32, nodes: UInt32(added)), UInt64(added))
        bearers.append(bearer)
    }
}
