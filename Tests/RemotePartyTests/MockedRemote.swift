import RemoteParties
import Synchronization
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenSystem
import XenTesting

/// Two mock domains with a link between them: a party here, and a server that makes the other one elsewhere, as in
/// the lab but in one process.
final class MockedRemote: Sendable {
    let hypervisor = MockHypervisor()
    /// Those of the link, by their domains.
    private let linkProcesses = Mutex<[DomainID: MockProcess]>([:])
    let here: DomainID
    let there: DomainID

    init(here: DomainID, there: DomainID) {
        self.here = here
        self.there = there
    }

    /// Lets `body` use the far domain, then sees that the server has ended well and that nothing is left.
    func run(_ body: (RemoteDomain) throws -> Void) throws {
        let (front, back) = try link()
        // The guest's end is the front, wherever the suite runs.
        let (near, far) = here == .dom0 ? (back, front) : (front, back)
        let server = PartyServer(over: far) { [self] in
            handles(in: there, "party")
        } hold: { [self] page in
            try MockHolder(page, hypervisor.domain(there).startProcess(name: "holder"))
        }
        let failure = Mutex<String?>(nil)
        let thread = try PlatformThread {
            do {
                try server.serve(until: .after(.seconds(60)))
            } catch {
                failure.withLock { $0 = "\(error)" }
            }
        }
        let domain = try RemoteDomain(there, over: near, patience: .seconds(30))
        try body(domain)
        try domain.close(until: .after(.seconds(30)))
        thread.join()
        if let failure = failure.withLock(\.self) { throw ConformanceFailure(failure) }
        try hypervisor.assertCleanedUp()
    }

    /// Runs a check with the left party here.
    func pass(_ check: ConformanceCheck, with remote: RemoteDomain) throws {
        let left = handles(in: here, "left")
        try remote.withParty { right in
            try check.run(
                ConformanceHost(
                    left: ConformanceParty(domain: here, grants: left.grants, events: left.events),
                    right: right))
        }
    }

    func handles(in domain: DomainID, _ name: String) -> PartyServer.Handles {
        let process = hypervisor.domain(domain).startProcess(name: name)
        return (process.grants, process.events)
    }

    /// Both ends of a link: the guest's, and dom0's.
    func link() throws -> (front: Link, back: Link) {
        let guest = here == .dom0 ? there : here
        let ours = linkProcess(in: guest)
        let (offer, front) = try Link.offer(
            to: .dom0, GrantTable(ours.grants), EventChannels(ours.events))
        let theirs = linkProcess(in: .dom0)
        let back = try Link.attach(
            to: offer, of: guest, GrantTable(theirs.grants), EventChannels(theirs.events))
        return (front, back)
    }

    private func linkProcess(in domain: DomainID) -> MockProcess {
        let process = hypervisor.domain(domain).startProcess(name: "link")
        linkProcesses.withLock { $0[domain] = process }
        return process
    }

    func killLinkProcess(in domain: DomainID) {
        linkProcesses.withLock { $0[domain] }?.kill()
    }
}
