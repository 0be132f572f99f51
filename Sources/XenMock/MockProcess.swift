import Synchronization
import XenCore
public import XenEvtchn
public import XenGrant

/// A process in a mock domain, with its open handles.
public final class MockProcess: Sendable {
    public let name: String
    public let domain: MockDomain
    /// Its handle on /dev/xen/gntdev and /dev/xen/gntalloc.
    public let grants: any GrantBackend
    /// Its handle on /dev/xen/evtchn, opened when it started: stale once `afterResume()` has made the next.
    public let events: any EventChannelBackend
    let id: ProcessID

    init(id: ProcessID, name: String, domain: MockDomain) {
        self.id = id
        self.name = name
        self.domain = domain
        grants = MockGrants(process: id, hypervisor: domain.hypervisor)
        events = MockEventChannels(
            EventHandle(process: id, epoch: .none.next), hypervisor: domain.hypervisor)
    }

    /// Ends the process as SIGKILL does, at once and for all that it holds.
    ///
    /// Its mappings go and their notifications fire; its shares are revoked, or kept in quarantine
    /// for as long as a peer maps them; its ports close. Every later call, and a wait that is under
    /// way, throws `.unavailable`. Threads of this test that still play the process come to no harm:
    /// from now on what they see at its addresses is private memory that nobody else sees.
    public func kill() {
        domain.hypervisor.state.withLock { $0.killProcess(id) }
    }
}
