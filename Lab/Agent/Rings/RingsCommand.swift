import ArgumentParser
import Synchronization
import XenCore
import XenEvtchn
import XenGrant
import XenStoreClient
import XenSystem
import XenTesting

/// `xen-lab-agent rings`: one half of each ring check, against the same command in another domain; first with the front
/// ends in dom0, then with those in the guest.
struct RingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rings",
        abstract: "Holds rings between dom0 and a guest to the conformance suite.")

    @Option(help: "The number of the domain that this runs in.") var domain: UInt16
    @Option(help: "The number of the domain that the other half runs in.") var peer: UInt16
    @Option(help: "What the traffic's contents, batches and order come from.") var seed: UInt64 = 1
    @Option(help: "The requests in each ring.") var requests = 500
    @Flag(help: "Stays when all is over, so that what it might still hold can be seen.")
    var stay = false

    func run() async throws {
        let half = try await RingsHalf(DomainID(domain), peer: DomainID(peer))
        let checks = RingConformance.checks(seed: seed, requestCount: requests)
        let passedCount = Mutex(0)
        let isOver = Completion()
        // The halves block, which the threads that the store client's tasks need must not.
        let thread = try PlatformThread {
            let count = half.play(checks)
            passedCount.withLock { $0 = count }
            isOver.complete()
        }
        _ = await isOver.wait(until: .after(.seconds(3600)))
        thread.join()
        let failedCount = 2 * checks.count - passedCount.withLock { $0 }
        Terminal.output.line("\(2 * checks.count - failedCount) passed, \(failedCount) failed")
        if stay { try await Task.sleep(for: .seconds(600)) }
        if failedCount > 0 { throw ExitCode.failure }
    }
}

/// This domain's half of all checks.
private final class RingsHalf: Sendable {
    private let domain, peer: DomainID
    private let rendezvous: StoreRendezvous
    // The same for all checks, so that what one of them leaves behind is seen at the end.
    private let grants: any GrantBackend
    private let events: any EventChannelBackend

    init(_ domain: DomainID, peer: DomainID) async throws {
        (grants, events) = try Self.open()
        (self.domain, self.peer) = (domain, peer)
        rendezvous = try await StoreRendezvous(domain, peer: peer)
    }

    private static func open() throws -> (any GrantBackend, any EventChannelBackend) {
        #if LibXen
            return (try LibXenGrants(), try LibXenEventChannels())
        #else
            throw ValidationError("built without the trait LibXen: there is no real Xen to test")
        #endif
    }

    /// Returns how many checks have passed. Those after the other half has fallen silent have not.
    func play(_ checks: [RingCheck]) -> Int {
        var passedCount = 0
        do {
            try rendezvous.meet(until: .after(.seconds(90)))
            for left in [DomainID.dom0, max(domain, peer)] {
                for check in checks where try passes(check, left: left) { passedCount += 1 }
            }
        } catch is RendezvousSilence {
            Terminal.output.line("FAIL the checks that are left were not run")
        } catch {
            Terminal.output.line("FAIL \(error)")
        }
        return passedCount
    }

    /// Throws only what makes further checks impossible.
    private func passes(_ check: RingCheck, left: DomainID) throws -> Bool {
        let name = "\(check) (front in \(left))"
        let party = ConformanceParty(
            domain: domain, grants: grants, events: events, patience: .seconds(20))
        do {
            try check.run(
                domain == left ? .left : .right, as: party, with: peer, meeting: rendezvous)
            Terminal.output.line("ok   \(name)")
            return true
        } catch let error as RendezvousSilence {
            Terminal.output.line("FAIL \(name): \(error)")
            throw error
        } catch {
            Terminal.output.line("FAIL \(name): \(error)")
            return false
        }
    }
}
