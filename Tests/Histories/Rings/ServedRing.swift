import XenCore
import XenEvtchn
import XenGrant
import XenRing

/// A front's ring in the hands of a back: the page, the port, and the requests that were taken.
final class ServedRing {
    let offer: Meeting.Offer
    private let mapping: GrantMapping
    private let channel: EventChannel
    private var ring: BackRing<SquareRequest, SquareResponse>
    /// Requests in hand, and when each is done.
    private var pending: [(request: SquareRequest, due: ContinuousClock.Instant)] = []

    init(_ offer: Meeting.Offer, grants: GrantTable, events: EventChannels) throws {
        self.offer = offer
        mapping = try grants.map([offer.ring], of: offer.domain, until: .now)
        channel = try events.bindInterdomain(to: offer.port, of: offer.domain)
        // Safe: `mapping` lives as long as the ring, both in this object.
        ring = unsafe BackRing(attachingTo: mapping.memory)
    }

    var port: EventPort { channel.port }

    func hasRequests() throws(RingError) -> Bool { try ring.hasRequests() }

    /// Forgets the requests in hand.
    func dropPending() { pending = [] }

    /// When the next request in hand is done.
    var nextDue: ContinuousClock.Instant? { pending.map(\.due).min() }

    /// Takes requests.
    ///
    /// - Parameter due: how long each takes.
    /// - Returns: how many there were, at most `limit`.
    func take(
        atMost limit: Int, _ due: () -> ContinuousClock.Instant
    ) throws(RingError) -> Int {
        var count = 0
        while count < limit, let request = try ring.next() {
            count += 1
            pending.append((request, due()))
        }
        return count
    }

    /// Answers what is done by now, in the order in which it is done.
    func answer(by now: ContinuousClock.Instant, life: Int) throws {
        for (request, _) in pending.filter({ $0.due <= now }).sorted(by: { $0.due < $1.due }) {
            ring.push(request.response(epoch: offer.epoch.rawValue, life: life))
        }
        pending.removeAll { $0.due <= now }
        if ring.publish() == .required { try channel.notify() }
    }

    func notify() throws { try channel.notify() }
}
