import ArgumentParser
import XenCore
import XenEvtchn
import XenGrant
import XenTesting

extension ConformanceHost {
    /// Two parties in this domain, each with handles of its own on the real devices.
    static func opened(in domain: DomainID) throws -> ConformanceHost {
        #if LibXen
            func party() throws -> ConformanceParty {
                ConformanceParty(
                    domain: domain, grants: try LibXenGrants(), events: try LibXenEventChannels())
            }
            return ConformanceHost(left: try party(), right: try party())
        #else
            throw ValidationError("built without the trait LibXen: there is no real Xen to test")
        #endif
    }
}
