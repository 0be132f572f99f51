import RemoteParties
import XenCore
import XenStoreClient

extension Link {
    /// A link to a peer that calls this as well, on handles of its own. One of the two is dom0, which attaches to
    /// what the guest offers in the store.
    ///
    /// - Parameter leftDomain: tells one meeting of the two domains from the other one.
    static func meeting(
        _ peer: DomainID, from here: DomainID, leftDomain: DomainID
    ) async throws -> Link {
        let handles = try Handles()
        let store = try StoreClient.connect()
        let node = try StorePath("data/lab/link-of-\(leftDomain.rawValue)")
        if here == .dom0 {
            let offer = try await Offer.read(at: node, of: peer, in: store)
            return try .attach(
                to: LinkOffer(reference: offer.reference, port: offer.port), of: peer,
                handles.grants, handles.events)
        }
        let (made, link) = try Link.offer(to: peer, handles.grants, handles.events)
        try await Offer(reference: made.reference, port: made.port).write(at: node, in: store)
        return link
    }
}
