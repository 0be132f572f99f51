import Foundation

/// Xen's two store daemons, as Debian 12 packages them.
package enum DaemonKind: String, CaseIterable, Sendable, CustomStringConvertible {
    /// The C daemon.
    case c = "xenstored"
    /// The one in OCaml.
    case ocaml = "oxenstored"

    package var description: String { rawValue }

    /// Whether Debian's package xen-utils-4.17 is on this machine.
    package var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }

    var program: String { "/usr/lib/xen-4.17/bin/\(rawValue)" }

    /// What to start it with. The C daemon takes its quotas here, the other from a file.
    func arguments(in folder: String, _ quotas: DaemonQuotas) throws -> [String] {
        switch self {
        case .c:
            let wide = [
                "-E", "10000000", "-W", "10000000", "-t", "100000", "-S", "65536",
                "-Q", "outstanding=1000000", "-Q", "transaction-nodes=1000000",
            ]
            return ["-N", "-I", "-R"] + (quotas == .wide ? wide : [])
        case .ocaml:
            let file = "\(folder)/oxenstored.conf"
            try Self.configuration(in: folder, quotas)
                .write(toFile: file, atomically: true, encoding: .utf8)
            return ["--no-fork", "--config-file", file]
        }
    }

    private static func configuration(in folder: String, _ quotas: DaemonQuotas) -> String {
        let wide = """
            quota-maxentity = 10000000
            quota-maxsize = 65536
            quota-maxwatch = 10000000
            quota-transaction = 100000
            quota-maxrequests = 1000000
            """
        return """
            pid-file = \(folder)/oxenstored.pid
            xenstored-kva = /proc/xen/xsd_kva
            xenstored-port = /proc/xen/xsd_port
            xenstored-log-level = error
            xenstored-log-file = \(folder)/oxenstored.log
            persistent = false
            ring-scan-interval = 20
            merge-activate = true
            perms-activate = true
            quota-activate = true
            \(quotas == .wide ? wide : "")

            """
    }
}

/// How much a daemon lets a guest use.
package enum DaemonQuotas: Sendable {
    /// The daemon's own.
    case usual
    /// So much that no test and no benchmark meets them.
    case wide
}

/// Something that a test needs is not as it should be; says what to do.
package struct DaemonFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
