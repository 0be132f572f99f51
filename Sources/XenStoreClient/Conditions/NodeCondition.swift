public import XenStoreWire

/// What a node may be waited for to be.
public struct NodeCondition: Sendable {
    let holds: @Sendable ([UInt8]?) -> Bool

    /// The node is there.
    public static let exists = NodeCondition { $0 != nil }
    /// The node is not there.
    public static let absent = NodeCondition { $0 == nil }

    /// The node has this value.
    public static func equals(_ value: [UInt8]) -> NodeCondition { NodeCondition { $0 == value } }

    /// The node's value is this text.
    public static func equals(_ text: String) -> NodeCondition { equals(Array(text.utf8)) }

    /// `predicate` is true of the node's value; nil where there is no node. It may be asked often, in any task.
    public static func satisfies(
        _ predicate: @escaping @Sendable ([UInt8]?) -> Bool
    ) -> NodeCondition { NodeCondition(holds: predicate) }
}

/// What several nodes may be waited for to be.
///
///     try await store.wait(
///         for: .any([.node("a/state", .equals("6")), .node("a", .absent)]), deadline: deadline)
public indirect enum StoreCondition: Sendable {
    case node(StorePath, NodeCondition)
    /// At least one of them holds.
    case any([StoreCondition])
    /// Each of them held when its node was read last, and no event has told of a change since.
    case all([StoreCondition])

    /// The nodes that it depends on.
    var paths: Set<StorePath> {
        switch self {
        case .node(let path, _): [path]
        case .any(let parts), .all(let parts): parts.reduce(into: []) { $0.formUnion($1.paths) }
        }
    }

    /// Whether it holds of these values; a path without one is no node.
    func holds(of values: [StorePath: [UInt8]]) -> Bool {
        switch self {
        case .node(let path, let condition): condition.holds(values[path])
        case .any(let parts): parts.contains { $0.holds(of: values) }
        case .all(let parts): parts.allSatisfy { $0.holds(of: values) }
        }
    }
}
