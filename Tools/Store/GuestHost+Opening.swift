import XenDomain
import XenEvtchn
import XenGrant
import XenStoreServer
import XenStoreWire

/// This process's way to guests. Throws `.unavailable`, saying what is missing.
func openGuestHost() throws(StoreError) -> GuestHost {
    #if LibXen
        do {
            return GuestHost(
                grants: try .open(), events: try .open(), domains: try LibXenDomains())
        } catch { throw StoreError(.unavailable, "guests cannot be served: \(error)") }
    #else
        throw StoreError(
            .unavailable, "this xs was built without the trait LibXen: build it with it")
    #endif
}
