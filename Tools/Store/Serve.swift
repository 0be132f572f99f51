import ArgumentParser
import Logging
import XenStoreServer
import XenStoreWire
import XenSystem

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves a store of its own on a socket, until SIGTERM, SIGINT or SIGHUP.",
        discussion: """
            Whoever connects is dom0, and only this user may. The store is in memory and begins empty. A socket that a \
            dead server left is replaced; one that is served is not. It stays in the foreground, logs to standard error, \
            and tells systemd when it is ready (Type=notify). A second signal ends it at once.
            """)

    @Option(help: ArgumentHelp("The socket to make.", valueName: "path"))
    var socket: String

    @Flag(
        help: """
            Be the xenstored of this machine: also serve dom0's own kernel and the guests that the toolstack \
            introduces, and forget those that die. Needs root, in dom0, and no other store beside it.
            """)
    var xen = false

    @Option(
        help: ArgumentHelp("A file for the process's number while it serves.", valueName: "path"))
    var pidFile: String?

    @Option(
        help: "What to log at least: trace, debug, info, notice, warning, error or critical.",
        transform: logLevelArgument)
    var logLevel = Logger.Level.info

    @OptionGroup(title: "Quotas") var quotas: QuotaOptions

    func run() throws {
        var log = Logger(label: "xs") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = logLevel
        let stop = ThreadSignal()
        try TerminationSignals.onFirst { stop.signal() }
        let notices = NoticeLog(log)
        defer { notices.end() }
        let server = try start(notices)
        defer { server.stop() }
        let numbered = try pidFile.map { path throws(ToolFailure) in try PIDFile(path) }
        log.info("ready: serving an empty store on \(socket)")
        ServiceManager.notify(.ready)
        stop.wait(until: nil)
        ServiceManager.notify(.stopping)
        log.info("told to stop: connections end, and \(socket) is removed")
        numbered?.remove()
    }

    private func start(_ notices: NoticeLog) throws(ToolFailure) -> StoreServer {
        do throws(StoreError) {
            let server = try StoreServer(
                quota: quotas.quota, guests: xen ? try openGuestHost() : nil,
                onNotice: notices.sink)
            try server.listen(path: socket)
            if xen { try server.serveKernel() }
            return server
        } catch {
            throw ToolFailure(.cannotServe, error.message)
        }
    }
}

/// A level from the command line. Throws what ArgumentParser shows.
private func logLevelArgument(_ text: String) throws -> Logger.Level {
    guard let level = Logger.Level(rawValue: text) else {
        let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("there are \(known)")
    }
    return level
}
