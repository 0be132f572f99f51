import XenCore
import XenEvtchn
import XenGrant
import XenRing
import XenStoreWire
import XenSystem

/// Guests' rings: attached at INTRODUCE, served by the scheduler's turns, let go of at RELEASE.
extension ServerState {
    /// INTRODUCE. Without a way to guests there is nothing to attach, and the domain is known all the same.
    mutating func attach(_ domain: DomainID, _ port: EventPort, _ ticket: IntroductionTicket) {
        guard let guests else {
            return core.attached(ticket, as: nil, now: now, &outputs)
        }
        do throws(RingRefusal) {
            let ring = try attach(domain, port, guests)
            core.attached(ticket, as: ring.session, now: now, &outputs)
        } catch {
            notices.append(.ringRefused(domain, reason: error.reason))
            core.failedToAttach(ticket, error.name, now: now, &outputs)
        }
    }

    /// Maps a domain's page, binds its port, and begins a session over them. A ring that it had ends.
    mutating func attach(
        _ domain: DomainID, _ port: EventPort, reference: GrantReference = StorePage.reference,
        _ guests: GuestHost
    ) throws(RingRefusal) -> GuestRing {
        let known = rings.contains { $0?.domain == domain }
        detach(domain)
        let mapping: GrantMapping
        do { mapping = try guests.grants.map([reference], of: domain, until: .now) } catch {
            throw RingRefusal(error)
        }
        // Safe: the view is used while the mapping is there.
        let page = StorePage(unsafe mapping.memory)
        let channel: EventChannel
        do {
            channel = try guests.events.bindInterdomain(to: page.port ?? port, of: domain)
        } catch { throw RingRefusal(error) }
        // Before anything moves, so that the guest knows what it may ask for.
        page.features = core.features(of: domain)
        // As the C daemon: a domain that is introduced again begins anew, on both rings.
        if known { page.emptyRings() }
        let ring = GuestRing(domain, scheduler.add(), mapping, channel)
        keep(ring)
        if ring.wantsReconnection {
            reconnect(ring)
        } else {
            ring.session = open(domain, over: ring).id
        }
        return ring
    }

    private mutating func keep(_ ring: GuestRing) {
        let place = ring.ringID.place
        while rings.count <= place { rings.append(nil) }
        rings[place] = ring
        ringPlaces[ring.channel.port] = place
    }

    /// Lets go of a domain's ring, if it has one.
    mutating func detach(_ domain: DomainID) {
        for case let ring? in rings where ring.domain == domain { letGo(of: ring) }
    }

    /// The page is unmapped and the port closed as soon as nobody uses the ring any more: with the end of this turn.
    mutating func letGo(of ring: GuestRing) {
        scheduler.remove(ring.ringID)
        rings[ring.ringID.place] = nil
        ringPlaces[ring.channel.port] = nil
        if let session = session(of: ring) { end(session) }
        ring.session = nil
    }

    private func session(of ring: GuestRing) -> ServerSession? {
        ring.session.flatMap { session($0) }
    }

    // MARK: - Turns

    /// Takes the events that have come, some in a turn: the rest keeps the descriptor readable.
    ///
    /// A later place for `VIRQ_DOM_EXC`: a port beside the rings', whose event has domains looked at.
    mutating func takeGuestEvents() {
        guard let guests else { return }
        do throws(EventChannelError) {
            for _ in 0..<64 {
                guard let event = try guests.events.wait(until: now) else { return }
                let ring = ringPlaces[event.port].flatMap { rings[$0] }
                // The ring is looked at after this, so nothing that rings from now on is lost.
                try event.unmask()
                if let ring { scheduler.event(on: ring.ringID) }
            }
        } catch {
            eventsFailed(error, guests)
        }
    }

    /// After an overflow the device has been reset: whoever rang may have been missed. Nothing else passes.
    private mutating func eventsFailed(_ error: EventChannelError, _ guests: GuestHost) {
        guard error.code != .overflow else {
            for case let ring? in rings { scheduler.event(on: ring.ringID) }
            return
        }
        notices.append(.eventsLost(reason: error.message))
        if let descriptor = try? guests.events.descriptor { try? epoll.remove(descriptor) }
    }

    /// Serves rings until the scheduler says to wait.
    mutating func serveRings(_ buffer: inout [UInt8]) {
        ringDeadline = nil
        guard scheduler.count > 0 else { return }
        let now = now
        while true {
            switch scheduler.next(now: now) {
            case .serve(let id, let budget):
                scheduler.served(id, serve(rings[id.place], atMost: budget, &buffer))
            case .check(let id): check(id)
            case .wait(let deadline):
                ringDeadline = deadline
                return
            }
        }
    }

    private mutating func check(_ id: RingID) {
        guard let ring = rings[id.place] else { return }
        let session = session(of: ring)
        let hasWork = ring.hasWork(isWriting: session?.isBlocked ?? false)
        if case .lazy(let roundCount) = scheduler.checked(id, hasWork: hasWork) {
            notices.append(.lazyGuest(ring.domain, roundCount: roundCount))
        }
    }

    private mutating func serve(
        _ ring: GuestRing?, atMost budget: Int, _ buffer: inout [UInt8]
    ) -> RingScheduler.Outcome {
        guard let ring else { return .emptied }
        if ring.wantsReconnection { reconnect(ring) }
        guard let session = session(of: ring) else { return .emptied }
        // Room may be what the guest told us of.
        guard flush(session), !session.isFull, !session.isHeldByCore else { return .emptied }
        // What was read before is served first.
        if session.isOwed { return .budgetUsed }
        do throws(LinkFailure) {
            _ = try session.fill(&buffer)
            try serveRequests(of: session, atMost: budget)
            return ring.isEmpty ? .emptied : .budgetUsed
        } catch {
            fail(session, error)
            return .emptied
        }
    }

    /// The guest asked for a new connection: nothing of the old one is left, then it is told.
    private mutating func reconnect(_ ring: GuestRing) {
        if let session = session(of: ring) { end(session) }
        ring.session = nil
        do throws(LinkFailure) {
            try ring.reconnect()
            ring.session = open(ring.domain, over: ring).id
            notices.append(.ringReconnected(ring.domain))
        } catch {
            ring.disable(.eventChannel)
            notices.append(
                .ringBroken(ring.domain, .eventChannel, reason: "it cannot be notified"))
        }
    }
}

/// Why a domain has no ring.
struct RingRefusal: Error {
    let name: StoreErrorName
    let reason: String

    init(_ error: GrantError) {
        name = error.errorNumber.map { StoreErrorName($0) } ?? .invalid
        reason = error.message
    }

    init(_ error: EventChannelError) {
        name = error.errorNumber.map { StoreErrorName($0) } ?? .invalid
        reason = error.message
    }
}
