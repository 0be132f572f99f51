import ArgumentParser
import RemoteParties
import XenCore
import XenEvtchn
import XenGrant
import XenTesting

extension ConformanceParty {
    /// A party in this domain, with handles of its own on the real devices.
    static func opened(in domain: DomainID) throws -> ConformanceParty {
        let (grants, events) = try openedHandles()
        return ConformanceParty(domain: domain, grants: grants, events: events)
    }
}

/// Freshly opened handles on the real devices.
func openedHandles() throws -> PartyServer.Handles {
    #if LibXen
        return (try LibXenGrants(), try LibXenEventChannels())
    #else
        throw ValidationError("built without the trait LibXen: there is no real Xen to test")
    #endif
}
