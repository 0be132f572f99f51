import ArgumentParser
import XenCore
import XenTesting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `xen-lab-agent suites`: grants and event channels, from this domain to itself.
struct Suites: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Holds Xen's grants and event channels to the conformance suites.")

    @Option(help: "The number of the domain that this runs in.")
    var domain: UInt16 = 0

    func run() throws {
        _ = try ConformanceHost.opened(in: DomainID(domain))  // one clear error if there is no Xen
        let checks =
            GrantConformance.checks + EventChannelConformance.checks
            + [ConformanceCheck.killedProcess]
        let failedCount = checks.count { !passes($0) }
        print("\(checks.count - failedCount) passed, \(failedCount) failed")
        if failedCount > 0 { throw ExitCode.failure }
    }

    private func passes(_ check: ConformanceCheck) -> Bool {
        defer { fflush(nil) }  // a check that hangs must not hide the ones before it
        do {
            try check.run(try ConformanceHost.opened(in: DomainID(domain)))
            print("ok   \(check)")
            return true
        } catch {
            print("FAIL \(check): \(error)")
            return false
        }
    }
}
