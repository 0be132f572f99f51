import CStoreLoad
import Foundation
import StoreDaemons
import XenCore
import XenSystem

/// A server of the store in a process of its own.
final class StoreProcess {
    let kind: StoreServerKind
    let placement: Placement
    private let server: any RunningServer

    init(_ kind: StoreServerKind, _ placement: Placement = .oneProcessor) throws {
        self.kind = kind
        self.placement = placement
        _ = cstore_raise_descriptor_limit()
        server = try placement.during {
            switch kind {
            case .ours, .floor: try ServingChild(kind.name)
            case .daemon(let daemon): try StoreDaemon(daemon, quotas: .wide)
            }
        }
    }

    var socket: String { server.socket }

    /// What it has of the memory now; 0 where the kernel does not tell.
    var residentByteCount: Int {
        let path = "/proc/\(server.processIdentifier ?? 0)/statm"
        let text = try? String(contentsOfFile: path, encoding: .ascii)
        let pages = text?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (pages ?? 0) * Int(getpagesize())
    }
}

/// What ends with its last reference.
private protocol RunningServer {
    var socket: String { get }
    var processIdentifier: Int32? { get }
}

extension StoreDaemon: RunningServer {}

/// Ours or the floor: this program once more.
private final class ServingChild: RunningServer {
    let socket: String
    private let folder: String
    private let child: ChildProcess

    var processIdentifier: Int32? { child.identifier }

    init(_ name: String) throws {
        folder = try TemporaryFolder.make("xen-bench")
        socket = folder + "/socket"
        child = try ChildProcess("/proc/self/exe", ["--serve", name, socket])
        let deadline = Deadline.after(.seconds(10))
        while (try? UnixSocket.connect(to: socket)) == nil {
            guard !deadline.hasPassed, child.isRunning else {
                throw UsageError(description: "the server '\(name)' did not start")
            }
            try XenSystem.pause(.milliseconds(1))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
}
