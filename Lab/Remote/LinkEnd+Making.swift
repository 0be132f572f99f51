package import XenCore
import XenEvtchn
import XenGrant
import XenRing

/// What the back end of a link has to know to attach to it.
package struct LinkOffer: Hashable, Sendable {
    package let reference: GrantReference
    package let port: EventPort

    package init(reference: GrantReference, port: EventPort) {
        self.reference = reference
        self.port = port
    }
}

extension LinkEnd {
    /// The front: makes pages and a port for `peer`.
    static func offer(
        to peer: DomainID, _ grants: GrantTable, _ events: EventChannels
    ) throws -> LinkEnd {
        let channel = try events.bindUnbound(for: peer)
        let data = try grants.share(pageCount: dataPageCount, with: peer)
        let interface = try grants.share(
            pageCount: 1, with: peer,
            notification: UnmapNotification(clearByte: frontLife, notifyPort: channel.port))
        let offer = LinkOffer(reference: interface.references[0], port: channel.port)
        // Safe: the end that they are made for holds the pages.
        let ring = unsafe FlexInterface(
            initializing: interface.memory, as: .ninePFS, references: data.references
        ).front(over: data.memory, peerWaits: .forAny)
        interface.store([1], at: frontLife)
        return LinkEnd(
            offer, ring, channel, LinkPages(LinkPages.Shared(interface: interface, data: data)),
            isFront: true)
    }

    /// The back: attaches to what `peer` has offered, and rings.
    static func attach(
        to offer: LinkOffer, of peer: DomainID, _ grants: GrantTable, _ events: EventChannels
    ) throws -> LinkEnd {
        let channel = try events.bindInterdomain(to: offer.port, of: peer)
        let interface = try grants.map(
            [offer.reference], of: peer,
            notification: UnmapNotification(clearByte: backLife, notifyPort: channel.port))
        let flex = try unsafe FlexInterface(attachingTo: interface.memory, as: .ninePFS)
        let data = try grants.map(flex.references, of: peer)
        // Safe: as above.
        let ring = unsafe flex.back(over: data.memory, peerWaits: .forAny)
        interface.store([1], at: backLife)
        let end = LinkEnd(
            offer, ring, channel, LinkPages(LinkPages.Mapped(interface: interface, data: data)),
            isFront: false)
        try end.notify()
        return end
    }
}
