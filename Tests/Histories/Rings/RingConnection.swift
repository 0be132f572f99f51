import XenCore
import XenEvtchn
import XenGrant
import XenRing

/// One epoch of a front: its page, port and ring, and the requests that are in it.
final class RingConnection {
    let offer: Meeting.Offer
    private var share: GrantShare?
    private let channel: EventChannel
    private var ring: FrontRing<SquareRequest, SquareResponse>
    private var requests: RequestTable<SquareRequest, Int, UInt64>

    /// - Parameters:
    ///   - hasEpochs: false for a front that forgets the epoch in its ids.
    ///   - old: for a front that uses an old epoch's page again, although it could not be revoked.
    init(
        _ epoch: Epoch, life: Int, domain: DomainID, grants: GrantTable, events: EventChannels,
        hasEpochs: Bool = true, reusing old: RingConnection? = nil
    ) throws {
        let share: GrantShare
        if let page = old?.share.take() {
            share = page
        } else {
            share = try grants.share(pageCount: 1, with: .dom0)
        }
        channel = try events.bindUnbound(for: .dom0)
        // Safe: `share` lives as long as the ring, both in this object.
        ring = unsafe FrontRing(initializing: share.memory)
        requests = RequestTable(capacity: ring.capacity, epoch: hasEpochs ? epoch : .none)
        offer = Meeting.Offer(
            life: life, domain: domain, epoch: epoch, ring: share.references[0],
            port: channel.port)
        self.share = consume share
    }

    var hasRoom: Bool { requests.freeCount > 0 }
    var hasUnanswered: Bool { requests.waitingCount > 0 }

    func send(_ number: Int) {
        let request = requests.issue(number) { id, _ in
            SquareRequest(id: id, number: UInt64(number))
        }
        let wasPushed = request.map { ring.push($0) } ?? false
        precondition(wasPushed, "there is room")
    }

    func publish() throws { if ring.publish() == .required { try channel.notify() } }

    /// Rings the back although nothing is new, in case that it missed an event.
    func nudge() throws { try channel.notify() }

    func nextResponse() throws(RingError) -> SquareResponse? { try ring.next() }

    func match(_ id: UInt64) -> RequestMatch<SquareRequest, Int> { requests.match(id) }

    /// The caller of this request has gone.
    func abandon(_ number: Int) { _ = requests.abandon { $0 == number } }

    /// Takes back what is unanswered, oldest first.
    func takeUnanswered() -> [Int] { requests.takeUnanswered().map(\.payload) }

    /// Whether the page could be revoked, so that nothing is left of this epoch.
    func release() -> Bool {
        do {
            try share?.revoke()
            return true
        } catch {
            return error.code != .inUse
        }
    }
}
