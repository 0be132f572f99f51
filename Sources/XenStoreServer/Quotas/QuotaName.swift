import XenStoreWire

/// A quota as GET_QUOTA, SET_QUOTA and `control quota` name it: the C daemon's names, in its order.
enum QuotaName: String, CaseIterable, Sendable {
    case nodes
    case watches
    case outstanding
    case memory
    case transactions
    case transactionNodes = "transaction-nodes"
    case permissions = "node-permissions"
    case pathByteCount = "path-max"
    case nodeByteCount = "node-size"

    /// Told in the log, not refused.
    static let softPrefix = "soft-"

    /// The names that xenstore.txt lists beside the daemon's own.
    private static let aliases: [String: QuotaName] = ["permissions": .permissions]

    /// Reads a name, hard or soft. Nil for a quota that there is not.
    static func parse(_ text: some Collection<UInt8>) -> (name: QuotaName, isSoft: Bool)? {
        let text = String(decoding: text, as: UTF8.self)
        let isSoft = text.hasPrefix(softPrefix)
        let name = isSoft ? String(text.dropFirst(softPrefix.count)) : text
        guard let found = QuotaName(rawValue: name) ?? aliases[name],
            !isSoft || found.softLimit != nil
        else { return nil }
        return (found, isSoft)
    }

    /// All names, the soft one behind its hard one.
    static var list: String {
        allCases.flatMap { name in
            [name.rawValue] + (name.softLimit == nil ? [] : [softPrefix + name.rawValue])
        }.joined(separator: " ")
    }

    /// The name as `parse` reads it.
    func text(isSoft: Bool) -> String { isSoft ? Self.softPrefix + rawValue : rawValue }

    var hardLimit: WritableKeyPath<StoreQuota, Int> {
        switch self {
        case .nodes: \.nodes
        case .watches: \.watches
        case .outstanding: \.outstanding
        case .memory: \.memoryByteCount
        case .transactions: \.transactions
        case .transactionNodes: \.transactionNodes
        case .permissions: \.permissions
        case .pathByteCount: \.pathByteCount
        case .nodeByteCount: \.nodeByteCount
        }
    }

    /// Nil where there is no soft limit.
    var softLimit: WritableKeyPath<StoreQuota, Int>? {
        self == .memory ? \.softMemoryByteCount : nil
    }

    /// Where the limit, hard or soft, is kept.
    func limit(isSoft: Bool) -> WritableKeyPath<StoreQuota, Int> {
        isSoft ? softLimit ?? hardLimit : hardLimit
    }

    /// What a domain has of it.
    var usage: KeyPath<Usage, Int>? {
        switch self {
        case .nodes: \.nodes
        case .watches: \.watches
        case .outstanding: nil
        case .memory: \.memory
        case .transactions: \.transactions
        case .transactionNodes: \.transactionNodes
        case .permissions: \.permissions
        case .pathByteCount: \.pathByteCount
        case .nodeByteCount: \.nodeByteCount
        }
    }

    var explanation: String {
        switch self {
        case .nodes: "Nodes per domain"
        case .watches: "Watches per domain"
        case .outstanding: "Outstanding requests per domain"
        case .memory: "Total memory per domain, in bytes"
        case .transactions: "Open transactions per domain"
        case .transactionNodes: "Nodes that a transaction touches"
        case .permissions: "Entries of a node's permissions"
        case .pathByteCount: "Bytes of a path after the domain's home"
        case .nodeByteCount: "Bytes of a node's value and its children's names"
        }
    }
}
