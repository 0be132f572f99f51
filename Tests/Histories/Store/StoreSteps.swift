import XenCore
import XenStoreWire

/// What happens in the store's histories.
enum StoreSteps {
    enum Happening {
        case request
        /// A connection ends, and its domain opens another.
        case reconnect
        /// A domain goes, and another comes with its number.
        case release
    }

    static let happenings: [Happening] =
        Array(repeating: .request, count: 38) + [.reconnect, .release]

    /// - Parameter pick: draws one of several, by a name for what is drawn.
    static func request(
        isInside: Bool, _ pick: (String, [String]) -> String
    ) -> ModelRequest {
        let path = pick("path", paths)
        switch pick("request", isInside ? requestsInside : requests) {
        case "read": return .read(path)
        case "directory": return .directory(path)
        case "permissions": return .getPermissions(path)
        case "write": return .write(path, Array(pick("value", ["", "1", "two"]).utf8))
        case "make": return .makeDirectory(path)
        case "remove": return .remove(path)
        case "set":
            let node = pick("node", [path, path, path, path, "@introduceDomain", "@releaseDomain"])
            // What cannot go stays dom0's.
            let isFixed = node == "/" || node.hasPrefix("@")
            let entries = pick("permissions", isFixed ? fixedPermissions : permissions)
            return .setPermissions(node, entries.split(separator: " ").compactMap { entry(of: $0) })
        case "watch":
            let path = pick("watched", watched)
            let depth = Int(pick("depth", ["", "", "0", "1", "2"]))
            return .watch(
                path, pick("token", ["t", "u"]), depth: path.hasPrefix("@") ? nil : depth)
        case "unwatch": return .unwatch(pick("watched", watched), pick("token", ["t", "u"]))
        case "target":
            let ids = pick("target", ["3 4", "4 3", "4 3", "4 3", "3 5", "5 4"]).split(
                separator: " "
            )
            .compactMap { UInt16($0) }
            return .setTarget(DomainID(ids[0]), DomainID(ids[1]))
        case "start": return .transactionStart
        case "commit": return .transactionEnd(true)
        case "abort": return .transactionEnd(false)
        default: return .resetWatches
        }
    }

    private static func entry(of text: Substring) -> Permission? {
        Permission(bytes: Array(text.utf8)[...])
    }

    private static let common = [
        "read", "read", "directory", "directory", "permissions", "write", "write", "write",
        "write", "make", "make", "remove", "remove", "set",
    ]
    private static let requests =
        common + [
            "set", "watch", "watch", "watch", "unwatch", "start", "start", "start", "reset",
            "target", "target",
        ]
    private static let requestsInside = common + ["commit", "commit", "commit", "abort", "start"]

    private static let paths = [
        "/", "/a", "/a", "/a/b", "/a/b", "/a/b/c", "/a/d", "/e", "x", "x/y", "x/y/z",
        "/local/domain/3", "/local/domain/3/x", "/local/domain/4/x", "/local/domain/4", "/tool",
    ]
    private static let watched = [
        "/", "/a", "/a/b", "/a/b/c", "x", "x/y", "/local/domain/3/x", "/e", "@releaseDomain",
        "@introduceDomain",
    ]
    private static let fixedPermissions = ["n0", "r0", "b0", "n0 r3", "n0 b4 r3"]
    private static let permissions = [
        "n0", "r0", "b0", "n0 r3", "n0 b3", "n0 w4", "n0 r4 b3", "n3", "r3", "b3", "n3 r4",
        "n4 b3", "b4", "w4 r3", "n5", "n0 r5",
    ]
}
