import ArgumentParser
import XenEvtchn
import XenGrant

/// This process's handles on real Xen.
struct Handles: Sendable {
    let grants: GrantTable
    let events: EventChannels

    init() throws {
        #if LibXen
            grants = try GrantTable.open()
            events = try EventChannels.open()
        #else
            throw ValidationError("built without the trait LibXen: there is no real Xen to test")
        #endif
    }
}
