import XenStoreWire

/// What has happened in and beside each open transaction of a history.
struct OpenTransactions {
    struct Key: Hashable {
        let connection: ConnectionName
        let ordinal: UInt32
    }

    struct Record {
        /// The paths that it has named.
        var named: Set<StorePath> = []
        /// The paths that others have changed since it began.
        var changedOutside: Set<StorePath> = []
        /// The paths that others have removed since, with all below them.
        var removedOutside: Set<StorePath> = []

        /// Whether the root was changed outside, or a node in that part of the tree below it in which it has named one: it
        /// may have looked for nodes above that were missing, and been made with the node outside.
        var isRelated: Bool {
            let outside = Set(changedOutside.map(\.components.first))
            return named.contains {
                $0 == .root || outside.contains(nil) || outside.contains($0.components.first)
            }
        }

        /// Whether one of the nodes that it has named was changed outside.
        var isOverlapping: Bool { named.contains(where: isChangedOutside) }

        func isChangedOutside(_ path: StorePath) -> Bool {
            changedOutside.contains(path) || removedOutside.contains { path.isWithin($0) }
        }
    }

    private var records: [Key: Record] = [:]
    private var changes: [Key: [StoreStep]] = [:]
    private(set) var started: [ConnectionName: Int] = [:]

    /// A connection that has one open, if any has: the first in order, with its last one.
    var open: ConnectionName? {
        records.keys.filter { Int($0.ordinal) == started[$0.connection] }
            .map(\.connection).min()
    }

    func record(of step: StoreStep) -> Record? {
        records[Key(connection: step.connection, ordinal: step.transaction)]
    }

    /// What the step's transaction has changed.
    func changes(before step: StoreStep) -> [StoreStep] {
        changes[Key(connection: step.connection, ordinal: step.transaction)] ?? []
    }

    /// Takes note of a step and its success.
    mutating func note(_ step: StoreStep, _ heard: [Heard]) {
        let key = Key(connection: step.connection, ordinal: step.transaction)
        let isDone: Bool
        if case .reply = heard.reply { isDone = true } else { isDone = false }
        if step.looksAtNode, let path = step.path { records[key]?.named.insert(path) }
        if step.transaction != 0, isDone, step.isChange { changes[key, default: []].append(step) }
        switch step.operation {
        case .transactionStart where isDone:
            started[step.connection, default: 0] += 1
            let ordinal = UInt32(started[step.connection, default: 0])
            records[Key(connection: step.connection, ordinal: ordinal)] = Record()
        case .transactionEnd:
            records[key] = nil
            let made = changes.removeValue(forKey: key) ?? []
            let isCommit = step.payload.first == UInt8(ascii: "T")
            if isDone, isCommit { for change in made { noteChange(change, except: key) } }
        case .resetWatches where isDone:
            for key in records.keys where key.connection == step.connection { records[key] = nil }
        default:
            if isDone, step.isChange, step.transaction == 0 { noteChange(step, except: key) }
        }
    }

    private mutating func noteChange(_ step: StoreStep, except key: Key) {
        guard let path = step.path else { return }
        for other in records.keys where other != key {
            records[other]?.changedOutside.insert(path)
            if step.operation == .remove { records[other]?.removedOutside.insert(path) }
        }
    }
}
