import XenCore
import XenStoreWire

/// A client's wish to be told of changes at or below a path.
struct RegisteredWatch: Hashable, Sendable {
    /// Absolute or special.
    let path: StorePath
    let token: [UInt8]
    /// The home that the client left out of its path, and that events then leave out too.
    let base: StorePath?

    /// The path to report for a change at `changed`; nil when the watch does not concern it.
    func eventPath(for changed: StorePath, _ match: WatchMatch) -> StorePath? {
        guard match == .subtree ? changed.isWithin(path) : changed == path else { return nil }
        guard let base else { return changed }
        return changed.relative(to: base)
    }
}

/// Which watches a change concerns.
enum WatchMatch: Sendable {
    /// Those on the path itself only: it went because a node above it was removed.
    case exact
    /// Those on the path and on all above it.
    case subtree
}

/// A path that changed.
struct FiredPath: Hashable, Sendable {
    let path: StorePath
    let match: WatchMatch

    init(_ path: StorePath, _ match: WatchMatch) {
        self.path = path
        self.match = match
    }
}

/// A change to tell the watches of, with what decides who may learn of it.
struct WatchChange: Sendable {
    let fired: FiredPath
    private let oldPermissions: [Permission]?
    private let permissions: [Permission]?
    private let parentPermissions: [Permission]?

    init(
        _ fired: FiredPath, oldPermissions: [Permission]?, permissions: [Permission]?,
        parentPermissions: [Permission]?
    ) {
        self.fired = fired
        self.oldPermissions = oldPermissions
        self.permissions = permissions
        self.parentPermissions = parentPermissions
    }

    /// A change between two trees, in the later of which the node is missing if it was removed.
    init(_ fired: FiredPath, before: StoreTree, after: StoreTree) {
        self.init(
            fired, oldPermissions: before.node(at: fired.path)?.permissions,
            permissions: after.node(at: fired.path)?.permissions,
            parentPermissions: fired.path.parent.flatMap { after.node(at: $0)?.permissions })
    }

    /// Whether the client may learn of it: it could read the node, or can, or can read its parent.
    func isVisible(to client: StoreClientIdentity) -> Bool {
        func canRead(_ permissions: [Permission]?) -> Bool {
            permissions.map { client.rights($0).contains(.read) } ?? false
        }
        if canRead(oldPermissions) { return true }
        return permissions != nil && (canRead(permissions) || canRead(parentPermissions))
    }
}
