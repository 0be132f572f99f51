import ArgumentParser
import RemoteParties
import Synchronization
import XenCore
import XenEvtchn
import XenGrant
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `xen-lab-agent hold`: maps a page, says so, and waits to be killed.
struct Hold: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Maps a page of a domain until it is killed.", shouldDisplay: false)

    @Option(help: "Whose page it is.") var domain: UInt16
    @Option var reference: UInt32
    @Option var port: UInt32

    func run() throws {
        let handles = try Handles()
        let channel = try handles.events.bindInterdomain(
            to: EventPort(port), of: DomainID(domain))
        let mapping = try handles.grants.map(
            [GrantReference(reference)], of: DomainID(domain),
            notification: UnmapNotification(clearByte: 0, notifyPort: channel.port))
        try channel.notify()
        try pause(.seconds(60))
        try mapping.close()
    }
}

/// Another process of this program. Killed by SIGKILL and waited for when its value goes, at the latest.
final class Victim: PageHolder {
    private let process: Mutex<pid_t?>

    init(holding page: PageToHold) throws {
        let arguments = [
            "xen-lab-agent", "hold", "--domain", "\(page.page.domain.rawValue)",
            "--reference", "\(page.page.reference.rawValue)", "--port", "\(page.port.rawValue)",
        ]
        var process = pid_t()
        let copies = unsafe arguments.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        // Safe: both lists end with nil, and the texts live until the call is over.
        let status = unsafe posix_spawn(
            &process, "/proc/self/exe", nil, nil, copies + [nil], [nil])
        guard status == 0 else { throw SystemFailure("posix_spawn", .init(rawValue: status)) }
        self.process = Mutex(process)
    }

    /// A second call does nothing.
    func end() {
        guard let process = process.withLock({ $0.take() }) else { return }
        _ = kill(process, SIGKILL)
        _ = waitpid(process, nil, 0)
    }

    deinit { end() }
}
