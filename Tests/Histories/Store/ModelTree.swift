import XenCore
import XenStoreWire

/// What a store holds, as plainly as can be: a dictionary of paths, and a log that numbers every change.
struct ModelTree {
    struct Node: Equatable {
        var value: [UInt8]
        /// The owner's entry first.
        var permissions: [Permission]
        /// The moments, as the log counts them, of its making, of its last change and of that of its children.
        let made: Int
        var changed: Int
        var childrenChanged: Int
    }

    /// Moments: each change is later than all before it, on whatever tree it was made.
    struct Log {
        private(set) var moment = 0
        mutating func next() -> Int {
            moment += 1
            return moment
        }
    }

    private(set) var nodes: [String: Node] = [:]

    init() {
        let mine = [Permission(.none, for: .dom0)]
        for path in ["/", "/tool", "/tool/xenstored", "@introduceDomain", "@releaseDomain"] {
            nodes[path] = Node(
                value: [], permissions: mine, made: 0, changed: 0, childrenChanged: 0)
        }
    }

    /// The path above; nil for the root and for special paths.
    static func parent(of path: String) -> String? {
        guard path.hasPrefix("/"), path != "/", let slash = path.lastIndex(of: "/") else {
            return nil
        }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func isWithin(_ path: String, _ ancestor: String) -> Bool {
        if ancestor == "/" { return path.hasPrefix("/") }
        return path == ancestor || path.hasPrefix(ancestor + "/")
    }

    /// How many names a path has.
    static func level(of path: String) -> Int { path.split(separator: "/").count }

    static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// A node's children, the oldest first.
    func children(of path: String) -> [String] {
        nodes.filter { Self.parent(of: $0.key) == path }
            .sorted { ($0.value.made, $0.key) < ($1.value.made, $1.key) }.map(\.key)
    }

    /// A node and all below it: children before their parents, the oldest first.
    func subtree(of path: String) -> [String] {
        children(of: path).flatMap { subtree(of: $0) } + [path]
    }

    /// A node and all below it: parents before their children, the oldest first.
    func tree(of path: String) -> [String] { [path] + children(of: path).flatMap { tree(of: $0) } }

    mutating func write(_ value: [UInt8], to path: String, _ log: inout Log) {
        nodes[path]?.value = value
        nodes[path]?.changed = log.next()
    }

    mutating func setPermissions(_ permissions: [Permission], of path: String, _ log: inout Log) {
        nodes[path]?.permissions = permissions
        nodes[path]?.changed = log.next()
    }

    /// Makes a node and those above it that are missing, each with its parent's permissions; a guest owns what it makes.
    mutating func make(_ path: String, _ value: [UInt8], for domain: DomainID, _ log: inout Log) {
        guard let parent = Self.parent(of: path) else { return }
        if nodes[parent] == nil { make(parent, [], for: domain, &log) }
        var permissions = nodes[parent]?.permissions ?? []
        if domain != .dom0 { permissions[0].domain = domain }
        put(path, value, permissions, log.next())
    }

    mutating func put(
        _ path: String, _ value: [UInt8], _ permissions: [Permission], _ moment: Int
    ) {
        nodes[path] = Node(
            value: value, permissions: permissions, made: moment, changed: moment,
            childrenChanged: moment)
        if let parent = Self.parent(of: path) { nodes[parent]?.childrenChanged = moment }
    }

    /// Removes a node and all below it.
    mutating func remove(_ path: String, _ log: inout Log) {
        for below in subtree(of: path) { nodes[below] = nil }
        if let parent = Self.parent(of: path) { nodes[parent]?.childrenChanged = log.next() }
    }
}
