import ToolSupport
import XenStoreClient

/// A node with what is below it, as `ls` shows it.
struct NodeTree: Hashable, Sendable {
    let path: StorePath
    var value = Octets([])
    /// Nil unless they were asked for.
    var permissions: [Permission]?
    /// Nil when they were not looked at: they are too deep.
    var children: [NodeTree]?
    /// Why the server showed less than was asked for.
    var refusal: StoreErrorName?

    /// The node's name, or the whole path for the root and special ones.
    var name: String { path.name.isEmpty ? "\(path)" : String(decoding: path.name, as: UTF8.self) }
}

extension NodeTree {
    /// What to read of a tree.
    struct Extent: Hashable, Sendable {
        /// How far below the node; nil for all.
        var depth: Int?
        var readsPermissions = false
    }

    /// Reads a node and what is below it. What goes away meanwhile is left out, what this domain may not read is
    /// noted. Throws for the node itself, and otherwise when the server cannot be spoken to.
    static func read(
        _ path: StorePath, _ extent: Extent, from store: some StoreAccess
    ) async throws(StoreError) -> NodeTree {
        var tree = NodeTree(path: path, value: Octets(try await store.read(path)))
        if extent.readsPermissions { tree.permissions = try await store.permissions(path) }
        guard extent.depth != 0 else { return tree }
        var deeper = extent
        deeper.depth = extent.depth.map { $0 - 1 }
        var children: [NodeTree] = []
        for name in try await store.directory(path) {
            if let child = try await below(path.child(name), deeper, store) {
                children.append(child)
            }
        }
        tree.children = children
        return tree
    }

    private static func below(
        _ path: StorePath, _ extent: Extent, _ store: some StoreAccess
    ) async throws(StoreError) -> NodeTree? {
        do throws(StoreError) { return try await read(path, extent, from: store) } catch {
            guard error.code == .refused else { throw error }
            return error.name == .noEntry ? nil : NodeTree(path: path, refusal: error.name)
        }
    }
}

extension NodeTree {
    /// `path`, then `value` or `base64`, then what was asked for; `children` only where they were looked at.
    var json: JSON {
        var members: [(String, JSON)] = [("path", .string("\(path)"))]
        if let refusal {
            members.append(("error", .string("\(refusal)")))
        } else {
            members.append(value.member)
        }
        if let permissions {
            members.append(("permissions", .array(permissions.map { .string("\($0)") })))
        }
        if let children { members.append(("children", .array(children.map(\.json)))) }
        return .object(members)
    }
}
