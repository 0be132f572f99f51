import ArgumentParser
import RemoteParties
import XenCore
import XenSystem
import XenTesting

/// `xen-lab-agent suites`: grants and event channels, from this domain to itself or to another one.
struct Suites: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Holds Xen's grants and event channels to the conformance suites.",
        discussion: """
            Both parties are in this domain, or, with --right-domain, the left one here and the right one there, \
            where `xen-lab-agent party` has to run.
            """)

    @Option(help: "The number of the domain that this runs in: the left party's.")
    var domain: UInt16 = 0

    @Option(help: "The right party's domain, if it is another one.")
    var rightDomain: UInt16?

    func run() async throws {
        let left = DomainID(domain)
        _ = try openedHandles()  // one clear error if there is no Xen
        guard let rightDomain else {
            let killed = ConformanceCheck.killedProcess { try Victim(holding: $0) }
            return try run(killed) { check in
                try check.run(try .init(left: .opened(in: left), right: .opened(in: left)))
            }
        }
        let link = try await Link.meeting(DomainID(rightDomain), from: left, leftDomain: left)
        let remote = try RemoteDomain(
            DomainID(rightDomain), over: link, patience: .seconds(60))
        defer { try? remote.close(until: .after(.seconds(30))) }
        let killed = ConformanceCheck.killedProcess { try remote.hold($0) }
        try run(killed) { check in
            try remote.withParty { right in
                try check.run(.init(left: try .opened(in: left), right: right))
            }
        }
    }

    private func run(
        _ killedProcess: ConformanceCheck, _ passes: (ConformanceCheck) throws -> Void
    ) throws {
        let checks = GrantConformance.checks + EventChannelConformance.checks + [killedProcess]
        var failures: [String] = []
        for check in checks {
            do {
                try passes(check)
                Terminal.output.line("ok   \(check)")
            } catch {
                failures.append("FAIL \(check): \(error)")
            }
        }
        for failure in failures { Terminal.output.line(failure) }
        Terminal.output.line(
            "\(checks.count - failures.count) passed, \(failures.count) failed")
        if !failures.isEmpty { throw ExitCode.failure }
    }
}
