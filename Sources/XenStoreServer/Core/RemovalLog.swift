import XenCore

/// Who removed which nodes while transactions were open, so that a transaction that fails for want of a node finds
/// whose doing it was. Bounded: the oldest part is forgotten when it is full.
struct RemovalLog: Sendable {
    private static let limit = 2048

    private var authors: [PathKey: DomainID] = [:]
    private var previous: [PathKey: DomainID] = [:]

    mutating func note(_ key: PathKey, by author: DomainID) {
        if authors.count >= Self.limit {
            previous = authors
            authors = [:]
        }
        authors[key] = author
    }

    /// Who removed a node, or one above it.
    func author(of key: PathKey) -> DomainID? {
        var path: PathKey? = key
        while let key = path {
            if let author = authors[key] ?? previous[key] { return author }
            path = key.parent
        }
        return nil
    }

    mutating func clear() {
        guard !authors.isEmpty || !previous.isEmpty else { return }
        self = RemovalLog()
    }
}
