import ArgumentParser
import XenStoreClient
import XenTesting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `xen-lab-agent store`: the store client against whatever store this domain has.
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Holds the store client, and the store that it finds, to the conformance suite.")

    func run() async throws {
        let client = try StoreClient.connect(requestTimeout: .seconds(30))
        let checks = StoreConformance.checks
        var failedCount = 0
        for check in checks where await !passes(check, client) { failedCount += 1 }
        print("\(checks.count - failedCount) passed, \(failedCount) failed")
        if failedCount > 0 { throw ExitCode.failure }
    }

    private func passes(_ check: StoreCheck, _ client: StoreClient) async -> Bool {
        defer { fflush(nil) }  // a check that hangs must not hide the ones before it
        do {
            try await check.run(client)
            print("ok   \(check)")
            return true
        } catch {
            print("FAIL \(check): \(error)")
            return false
        }
    }
}
