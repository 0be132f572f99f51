import CStoreLoad
import Foundation
import StoreDaemons
import XenStoreServer

/// The servers that the store's rows measure.
enum StoreServerKind: Hashable {
    case ours
    /// Answers at once with a constant: what sockets and processes cost without a store.
    case floor
    case daemon(DaemonKind)

    var name: String {
        switch self {
        case .ours: "ours"
        case .floor: "floor"
        case .daemon(.c): "C xenstored"
        case .daemon(.ocaml): "oxenstored"
        }
    }

    /// Those of Xen's own that this machine has.
    static var daemons: [StoreServerKind] {
        DaemonKind.allCases.filter(\.isInstalled).map(StoreServerKind.daemon)
    }

    /// What to say where one is missing.
    static var remark: String? {
        DaemonKind.allCases.allSatisfy(\.isInstalled)
            ? nil : "without Xen's daemons, which Debian's xen-utils-4.17 has"
    }
}

/// `xen-bench --serve NAME SOCKET`: a server in a process of its own, until it is killed.
func serveAsked(_ arguments: ArraySlice<String>) throws {
    guard arguments.count == 2, let name = arguments.first, let path = arguments.last else {
        throw UsageError(description: "--serve is for this program's own use")
    }
    _ = cstore_raise_descriptor_limit()
    guard name == StoreServerKind.ours.name else {
        // Safe: the path is copied.
        return unsafe cstore_serve_constants(path)
    }
    let server = try StoreServer()
    try server.listen(path: path)
    while true { pause() }
}
