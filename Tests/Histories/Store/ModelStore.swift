import XenCore
import XenStoreWire

/// What a model can get wrong.
package enum ModelFlaw: CaseIterable, Sendable {
    case commitsInSpiteOfConflicts
    case readsTheLiveTreeInTransactions
    case tellsWatchesWhateverTheyMayRead
    case sortsChildren
    case looksDeeperThanAsked
    case keepsTargets
}

/// What a store has to do, written to be read: nothing is shared, every look is at everything.
///
/// Sources: docs/misc/xenstore.txt, and the C daemon where that is silent; a transaction sees one moment, and conflicts
/// are found node by node. Quotas and malformed requests are not its subject.
struct ModelStore {
    struct Connection {
        let domain: DomainID
        var watches: [ModelWatch] = []
        var transactions: [UInt32: ModelTransaction] = [:]
        var lastTransaction: UInt32 = 0
    }

    /// What some connection is sent.
    enum Said: Equatable, CustomStringConvertible {
        case reply(Int, String)
        case refusal(Int, String)
        case event(Int, String)
        case closed(Int)

        var description: String {
            switch self {
            case .reply(let id, let text): "\(id): \(text)"
            case .refusal(let id, let name): "\(id): !\(name)"
            case .event(let id, let text): "\(id)<\(text)"
            case .closed(let id): "\(id)<closed"
            }
        }
    }

    struct Refusal: Error { let name: String }

    private let flaw: ModelFlaw?
    private(set) var live = ModelTree()
    private var log = ModelTree.Log()
    /// In the order of their opening; nil for those that have ended.
    private(set) var connections: [Connection?] = []
    private var introduced: Set<DomainID> = [.dom0]
    /// For whom else a domain may act.
    private var targets: [DomainID: DomainID] = [:]
    private var said: [Said] = []

    init(flaw: ModelFlaw? = nil) { self.flaw = flaw }

    // MARK: - What happens to it. Each returns all that is said.

    mutating func connect(as domain: DomainID) -> Int {
        connections.append(Connection(domain: domain))
        return connections.count - 1
    }

    mutating func disconnect(_ id: Int) { connections[id] = nil }

    mutating func introduce(_ domain: DomainID) -> [Said] {
        collect { store in
            if store.introduced.insert(domain).inserted { store.tellSpecial("@introduceDomain") }
        }
    }

    mutating func release(_ domain: DomainID) -> [Said] {
        collect { store in
            for id in store.connections.indices where store.connections[id]?.domain == domain {
                store.connections[id] = nil
                store.said.append(.closed(id))
            }
            if store.flaw != .keepsTargets {
                store.targets = store.targets.filter { $0.key != domain && $0.value != domain }
            }
            store.removeNodes(of: domain)
            if store.introduced.remove(domain) != nil { store.tellSpecial("@releaseDomain") }
        }
    }

    mutating func handle(_ request: ModelRequest, from id: Int, in transaction: UInt32) -> [Said] {
        collect { store in
            do {
                let reply = try store.perform(request, id, transaction)
                store.said.append(.reply(id, reply))
                // A new watch tells at once, behind the reply.
                if case .watch = request, let watch = store.connections[id]?.watches.last {
                    store.said.append(.event(id, watch.event(at: watch.path)))
                }
            } catch {
                store.said = [.refusal(id, (error as? Refusal)?.name ?? "\(error)")]
            }
        }
    }

    private mutating func collect(_ body: (inout ModelStore) -> Void) -> [Said] {
        said = []
        body(&self)
        return said
    }

    // MARK: - Requests

    private mutating func perform(
        _ request: ModelRequest, _ id: Int, _ transaction: UInt32
    ) throws -> String {
        guard let connection = connections[id] else { return "" }
        if !request.ignoresTransactions, transaction != 0,
            connection.transactions[transaction] == nil
        {
            throw Refusal(name: "ENOENT")
        }
        let place = Place(connection: id, domain: connection.domain, transaction: transaction)
        switch request {
        case .read(let path): return text(try find(path, ["r"], place).value)
        case .directory(let path):
            _ = try find(path, ["r"], place)
            if transaction != 0 {
                connections[id]?.transactions[transaction]?.useChildren(of: place.absolute(path))
            }
            let children = tree(place).children(of: place.absolute(path))
            return (flaw == .sortsChildren ? children.sorted() : children)
                .map { ModelTree.name(of: $0) + "|" }.joined()
        case .getPermissions(let path):
            return try find(path, ["r"], place).permissions.map { "\($0)|" }.joined()
        case .write(let path, let value): try write(path, value, place)
        case .makeDirectory(let path): try makeDirectory(path, place)
        case .remove(let path): try remove(path, place)
        case .setPermissions(let path, let entries): try setPermissions(path, entries, place)
        case .watch(let path, let token, let depth):
            let watch = ModelWatch(
                path: place.absolute(path), token: token,
                depth: flaw == .looksDeeperThanAsked ? nil : depth,
                home: path == place.absolute(path) ? "" : place.home)
            let isKnown = connection.watches.contains { $0.path == watch.path && $0.token == token }
            if isKnown { throw Refusal(name: "EEXIST") }
            connections[id]?.watches.append(watch)
        case .unwatch(let path, let token):
            let index = connection.watches.firstIndex {
                $0.path == place.absolute(path) && $0.token == token
            }
            guard let index else { throw Refusal(name: "ENOENT") }
            connections[id]?.watches.remove(at: index)
        case .transactionStart:
            guard transaction == 0 else { throw Refusal(name: "EBUSY") }
            connections[id]?.lastTransaction += 1
            let new = connection.lastTransaction + 1
            connections[id]?.transactions[new] = ModelTransaction(on: live)
            return "\(new)|"
        case .transactionEnd(let commits): try end(commits, place)
        case .resetWatches:
            connections[id]?.watches = []
            connections[id]?.transactions = [:]
        case .setTarget(let domain, let target):
            guard connection.domain == .dom0 else { throw Refusal(name: "EACCES") }
            guard introduced.isSuperset(of: [domain, target]) else {
                throw Refusal(name: "ENOENT")
            }
            targets[domain] = target
        }
        return "OK|"
    }

    private mutating func write(_ path: String, _ value: [UInt8], _ place: Place) throws {
        let path = place.absolute(path)
        let exists = try findForWriting(path, place)
        change(place) { tree, log in
            if exists {
                tree.write(value, to: path, &log)
            } else {
                tree.make(path, value, for: place.domain, &log)
            }
        }
        tell(path, .above, old: nil, place)
    }

    private mutating func makeDirectory(_ path: String, _ place: Place) throws {
        let path = place.absolute(path)
        guard try !findForWriting(path, place) else { return }
        change(place) { tree, log in tree.make(path, [], for: place.domain, &log) }
        tell(path, .above, old: nil, place)
    }

    private mutating func remove(_ path: String, _ place: Place) throws {
        let path = place.absolute(path)
        let exists = try findForWriting(path, place)
        guard let parent = ModelTree.parent(of: path) else { throw Refusal(name: "EINVAL") }
        if exists || place.transaction != 0 || tree(place).nodes[parent] == nil {
            guard look(parent, place) != nil else { throw Refusal(name: "ENOENT") }
        }
        guard exists else { return }
        let gone = tree(place).subtree(of: path)
        if place.transaction == 0 {
            for below in gone { tell(below, below == path ? .above : .itself, old: nil, place) }
        } else {
            for below in gone.reversed() {
                _ = look(below, place)
                connections[place.connection]?.transactions[place.transaction]?
                    .useChildren(of: below)
                tell(below, below == path ? .above : .itself, old: nil, place)
            }
        }
        change(place) { tree, log in tree.remove(path, &log) }
    }

    private mutating func setPermissions(
        _ path: String, _ entries: [Permission], _ place: Place
    ) throws {
        let node = try find(path, ["w", "o"], place)
        guard place.domain == .dom0 || entries[0].domain == node.permissions[0].domain else {
            throw Refusal(name: "EPERM")
        }
        let path = place.absolute(path)
        change(place) { tree, log in tree.setPermissions(entries, of: path, &log) }
        tell(path, .above, old: node.permissions, place)
    }

    private mutating func end(_ commits: Bool, _ place: Place) throws {
        let ended = connections[place.connection]?.transactions
            .removeValue(forKey: place.transaction)
        guard let ended else { throw Refusal(name: "ENOENT") }
        guard commits else { return }
        let isInVain = ended.conflicts(with: live) && flaw != .commitsInSpiteOfConflicts
        guard !isInVain else { throw Refusal(name: "EAGAIN") }
        ended.commit(to: &live, &log)
        for use in ended.uses {
            guard let reach = use.told else { continue }
            tell(use.path, reach, old: ended.base.nodes[use.path]?.permissions, place.outside)
        }
    }

    // MARK: - Looking

    /// Who asks, and where.
    private struct Place {
        let connection: Int
        let domain: DomainID
        let transaction: UInt32

        var home: String { "/local/domain/\(domain.rawValue)/" }
        var outside: Place { Place(connection: connection, domain: domain, transaction: 0) }

        func absolute(_ path: String) -> String {
            path.hasPrefix("/") || path.hasPrefix("@") ? path : home + path
        }
    }

    private func tree(_ place: Place) -> ModelTree {
        guard flaw != .readsTheLiveTreeInTransactions else { return live }
        return connections[place.connection]?.transactions[place.transaction]?.tree ?? live
    }

    private mutating func look(_ path: String, _ place: Place) -> ModelTree.Node? {
        connections[place.connection]?.transactions[place.transaction]?.use(path)
        return tree(place).nodes[path]
    }

    /// The node, if the client has all rights to it that are asked for. Where it is missing, who has none of them to the
    /// nearest node above is not told so.
    private mutating func find(
        _ path: String, _ rights: Set<Character>, _ place: Place
    ) throws -> ModelTree.Node {
        let path = place.absolute(path)
        if let node = look(path, place) {
            guard allowed(place.domain, node.permissions).isSuperset(of: rights) else {
                throw Refusal(name: "EACCES")
            }
            return node
        }
        var above = ModelTree.parent(of: path)
        while let ancestor = above {
            if let node = look(ancestor, place) {
                let isHidden = allowed(place.domain, node.permissions).isDisjoint(with: rights)
                throw Refusal(name: isHidden ? "EACCES" : "ENOENT")
            }
            above = ModelTree.parent(of: ancestor)
        }
        throw Refusal(name: "EACCES")
    }

    private mutating func findForWriting(_ path: String, _ place: Place) throws -> Bool {
        do {
            _ = try find(path, ["w"], place)
            return true
        } catch let refusal as Refusal where refusal.name == "ENOENT" {
            return false
        }
    }

    /// `r`, `w` and, for the owner, `o`.
    private func allowed(_ domain: DomainID, _ permissions: [Permission]) -> Set<Character> {
        func names(_ entry: Permission) -> Bool {
            entry.domain == domain || entry.domain == targets[domain]
        }
        if domain == .dom0 || names(permissions[0]) { return ["r", "w", "o"] }
        let entry = permissions.dropFirst().first(where: names) ?? permissions[0]
        var rights: Set<Character> = []
        if entry.access.allowsReading { rights.insert("r") }
        if entry.access.allowsWriting { rights.insert("w") }
        return rights
    }

    // MARK: - Changing and telling

    private mutating func change(
        _ place: Place, _ body: (inout ModelTree, inout ModelTree.Log) -> Void
    ) {
        guard var transaction = connections[place.connection]?.transactions[place.transaction]
        else { return body(&live, &log) }
        body(&transaction.tree, &log)
        connections[place.connection]?.transactions[place.transaction] = transaction
    }

    /// Tells those who could read the node, can now, or can read its parent; in a transaction, later.
    private mutating func tell(
        _ path: String, _ reach: ModelWatch.Reach, old: [Permission]?, _ place: Place
    ) {
        guard place.transaction == 0 else {
            connections[place.connection]?.transactions[place.transaction]?.tell(path, reach)
            return
        }
        let now = live.nodes[path]?.permissions
        let parent =
            now == nil ? nil : ModelTree.parent(of: path).flatMap { live.nodes[$0]?.permissions }
        for (id, connection) in connections.enumerated() {
            guard let connection else { continue }
            let maySee = [old, now, parent].contains { permissions in
                permissions.map { allowed(connection.domain, $0).contains("r") } ?? false
            }
            guard maySee || flaw == .tellsWatchesWhateverTheyMayRead else { continue }
            for watch in connection.watches where watch.concerns(path, reach) {
                said.append(.event(id, watch.event(at: path)))
            }
        }
    }

    private mutating func tellSpecial(_ path: String) {
        tell(path, .itself, old: nil, Place(connection: -1, domain: .dom0, transaction: 0))
    }

    /// A domain that goes takes its nodes along, and what others' permissions say of it.
    private mutating func removeNodes(of domain: DomainID) {
        let nobody = Place(connection: -1, domain: .dom0, transaction: 0)
        for path in live.tree(of: "/") where path != "/" {
            guard live.nodes[path]?.permissions[0].domain == domain else { continue }
            for below in live.subtree(of: path) {
                tell(below, below == path ? .above : .itself, old: nil, nobody)
            }
            live.remove(path, &log)
        }
        for (path, node) in live.nodes {
            let kept =
                node.permissions.prefix(1)
                + node.permissions.dropFirst().filter { $0.domain != domain }
            live.setPermissions(Array(kept), of: path, &log)
        }
    }

    private func text(_ value: [UInt8]) -> String { String(decoding: value, as: UTF8.self) }
}
