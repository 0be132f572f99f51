import XenEvtchn
import XenGrant

#if LibXen
    /// This process's handle on the domain's grants.
    func openGrants() throws -> GrantTable { try GrantTable.open() }

    /// This process's handle on the domain's event channels.
    func openEvents() throws -> EventChannels { try EventChannels.open() }
#else
    private let hint = "this xen-block was built without the trait LibXen: build it with it"

    func openGrants() throws -> GrantTable { throw GrantError(.unavailable, hint) }
    func openEvents() throws -> EventChannels { throw EventChannelError(.unavailable, hint) }
#endif
