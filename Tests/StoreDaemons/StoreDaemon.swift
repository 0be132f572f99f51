import Foundation
import Synchronization
import XenStoreWire
package import XenCore
import XenSystem

/// One of Xen's own store daemons, running without Xen in a folder of its own.
///
///     let daemon = try StoreDaemon(.c)
///     let client = try StoreClient.connect(path: daemon.socket)
///     let page = try daemon.makeGuest(DomainID(3))           // what dom0 then introduces
///
/// It ends with this value, or with this process.
package final class StoreDaemon: Sendable {
    package let kind: DaemonKind
    /// The folder with the daemon's files.
    package let folder: String
    private let quotas: DaemonQuotas
    private let process: Mutex<Process?>

    /// Every connection here is dom0's.
    package var socket: String { "\(folder)/socket" }

    /// The number of its process; nil while it is stopped.
    package var processIdentifier: Int32? { process.withLock { $0?.processIdentifier } }

    /// Starts it, and blocks until its socket answers. Throws what to do where something is missing.
    package init(_ kind: DaemonKind, quotas: DaemonQuotas = .usual) throws {
        self.kind = kind
        self.quotas = quotas
        folder = try TemporaryFolder.make("xenstored")
        process = Mutex(nil)
        try start()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// How it ended by itself; nil while it runs, and after `stop`.
    package var ending: String? {
        process.withLock { process in
            guard let process, !process.isRunning else { return nil }
            return "\(kind) ended by itself with status \(process.terminationStatus)"
        }
    }

    /// Kills it as a crash would, and blocks until it has gone. Its socket file stays.
    package func stop() {
        guard let process = process.withLock({ $0.take() }) else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Starts it again after `stop`, with an empty store, and blocks until its socket answers.
    package func start() throws {
        guard FileManager.default.isExecutableFile(atPath: kind.program) else {
            throw DaemonFailure(
                "\(kind.program) is missing: run 'make setup', which installs Debian's package xen-utils-4.17"
            )
        }
        try? FileManager.default.removeItem(atPath: socket)
        let process = Process()
        process.executableURL = URL(filePath: kind.program)
        process.arguments = try kind.arguments(in: folder, quotas)
        process.environment = [
            "LD_PRELOAD": try DaemonShim.library(), "XEN_SHIM_FOLDER": folder,
            "XENSTORED_RUNDIR": folder, "XENSTORED_PATH": socket,
        ]
        // The shim ends the daemon when this pipe's other end goes: also when this process crashes.
        process.standardInput = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process.withLock { $0 = process }
        try waitUntilItAnswers(process)
    }

    private func waitUntilItAnswers(_ process: Process) throws {
        let deadline = Deadline.after(.seconds(20))
        while !deadline.hasPassed, process.isRunning {
            // Answered, so that no connection of ours is left in the daemon's short queue.
            if let connection = try? PacketConnection(to: socket, until: deadline),
                let reply = try? connection.exchange(
                    .getDomainPath, payload: [UInt8(ascii: "0"), 0], until: deadline),
                !reply.isEmpty
            {
                return
            }
            try pause(.milliseconds(1))
        }
        throw DaemonFailure(
            process.isRunning
                ? "\(kind) did not answer on \(socket) within 20 s"
                : "\(kind) ended with status \(process.terminationStatus) before it answered")
    }

    // MARK: - Guests

    /// Makes a domain exist, with an empty ring page. The store knows of it once dom0 has introduced it.
    package func makeGuest(_ domain: DomainID) throws -> GuestTransport {
        try GuestTransport(domain, in: folder)
    }

    /// Makes a domain cease to exist, and tells the daemon that some domain has changed.
    package func removeGuest(_ domain: DomainID) throws {
        try FileManager.default.removeItem(atPath: "\(folder)/dom\(domain.rawValue).page")
        let events = try EventSocket(at: "\(folder)/removal.event")
        try events.send(port: 1, to: "\(folder)/store.event")
    }
}
