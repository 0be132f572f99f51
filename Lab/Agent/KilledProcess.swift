import ArgumentParser
import XenCore
import XenEvtchn
import XenGrant
import XenSystem
import XenTesting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension ConformanceCheck {
    /// The signal by which a peer learns of a crash: it needs a process that can be killed.
    static let killedProcess = ConformanceCheck(
        "a process that is killed clears its byte and rings its port"
    ) { host in
        let party = host.left
        let share = try party.grants.share(pageCount: 1, with: party.domain)
        share.store([1], at: 0)
        let channel = try party.events.bindUnbound(for: party.domain)
        let victim = try Victim(
            "hold", "--domain", "\(party.domain.rawValue)",
            "--reference", "\(share.references[0].rawValue)", "--port", "\(channel.port.rawValue)")
        try expectRing(party, "when the process has mapped the page")
        try expect(byte: 1, of: share, "while the process lives")
        _ = consume victim
        try expectRing(party, "when the process was killed")
        try expect(byte: 0, of: share, "when the process was killed")
        try share.close()
    }

    private static func expectRing(_ party: ConformanceParty, _ moment: String) throws {
        guard let event = try party.events.wait(until: .after(.seconds(30))) else {
            throw ConformanceFailure("\(moment): expected the port to ring, but nothing did")
        }
        try event.unmask()
    }

    private static func expect(
        byte expected: UInt8, of share: borrowing GrantShare, _ moment: String
    ) throws {
        let found = share.bytes(at: 0, count: 1)[0]
        guard found == expected else {
            throw ConformanceFailure("\(moment): expected the byte \(expected), found \(found)")
        }
    }
}

/// `xen-lab-agent hold`: maps a page, says so, and waits to be killed.
struct Hold: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Maps a page of a domain until it is killed.", shouldDisplay: false)

    @Option var domain: UInt16
    @Option var reference: UInt32
    @Option var port: UInt32

    func run() throws {
        let party = try ConformanceHost.opened(in: DomainID(domain)).left
        let channel = try party.events.bindInterdomain(to: EventPort(port), of: party.domain)
        let mapping = try party.grants.map(
            [GrantReference(reference)], of: party.domain,
            notification: UnmapNotification(clearByte: 0, notifyPort: channel.port))
        try channel.notify()
        try pause(.seconds(60))
        try mapping.close()
    }
}

/// Another process of this program. When its value goes, it is killed by SIGKILL and waited for.
private struct Victim: ~Copyable {
    private let process: pid_t

    init(_ arguments: String...) throws {
        var process = pid_t()
        let copies = unsafe (["xen-lab-agent"] + arguments).map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        // Safe: both lists end with nil, and the texts live until the call is over.
        let status = unsafe posix_spawn(
            &process, "/proc/self/exe", nil, nil, copies + [nil], [nil])
        guard status == 0 else { throw SystemFailure("posix_spawn", .init(rawValue: status)) }
        self.process = process
    }

    deinit {
        _ = kill(process, SIGKILL)
        _ = waitpid(process, nil, 0)
    }
}
