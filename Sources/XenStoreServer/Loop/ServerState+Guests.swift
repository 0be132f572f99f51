import XenCore
import XenDomain
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
            return core.attached(ticket, as: nil, &outputs)
        }
        do throws(RingRefusal) {
            let ring = try attach(domain, port, guests)
            core.attached(ticket, as: ring.session, &outputs)
        } catch {
            tell(.ringRefused(domain, reason: error.reason))
            core.failedToAttach(ticket, error.name, &outputs)
            // What was prepared for it is not for whoever gets its id next.
            if error.isGone { core.release(domain, &outputs) }
        }
    }

    /// Maps a domain's page, binds its port, and begins a session over them. A ring that it had ends.
    mutating func attach(
        _ domain: DomainID, _ port: EventPort, reference: GrantReference = StorePage.reference,
        _ guests: GuestHost
    ) throws(RingRefusal) -> DomainRing {
        try requireAlive(domain)
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
        let ring = DomainRing(domain, scheduler.add(), .granted(mapping), channel)
        keep(ring)
        if ring.wantsReconnection {
            reconnect(ring)
        } else {
            ring.session = open(domain, over: ring).id
        }
        return ring
    }

    /// A domain that does not live would never be let go of: nobody tells of its death again.
    private func requireAlive(_ domain: DomainID) throws(RingRefusal) {
        guard let lookout else { return }
        let status: DomainStatus?
        do { status = try lookout.domains.status(of: domain) } catch {
            throw RingRefusal(name: .accessDenied, reason: "\(error)")
        }
        guard status != nil, status != .dying else {
            throw RingRefusal(name: .noEntry, reason: "there is no such domain", isGone: true)
        }
    }

    /// Begins the session of our own domain's kernel. A ring of its that there was ends.
    mutating func attachKernel(
        _ memory: MappedPage, _ port: EventPort, _ guests: GuestHost
    ) throws(RingRefusal) {
        detach(.dom0)
        let channel: EventChannel
        do { channel = try guests.events.bindInterdomain(to: port, of: .oneself) } catch {
            throw RingRefusal(error)
        }
        let ring = DomainRing(.dom0, scheduler.add(), .kernel(memory), channel)
        ring.page.features = core.features(of: .dom0)
        keep(ring)
        ring.session = open(.dom0, over: ring).id
        // Linux asks nothing before it has heard from its store.
        do throws(LinkFailure) { try ring.notify() } catch {
            letGo(of: ring)
            throw RingRefusal(name: .inputOutput, reason: "the kernel cannot be notified")
        }
    }

    private mutating func keep(_ ring: DomainRing) {
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
    mutating func letGo(of ring: DomainRing) {
        scheduler.remove(ring.ringID)
        rings[ring.ringID.place] = nil
        ringPlaces[ring.channel.port] = nil
        if let session = session(of: ring) { end(session) }
        ring.session = nil
    }

    private func session(of ring: DomainRing) -> ServerSession? {
        ring.session.flatMap { session($0) }
    }

    // MARK: - Turns

    /// Takes the events that have come, some in a turn: the rest keeps the descriptor readable.
    mutating func takeGuestEvents() {
        guard let guests else { return }
        do throws(EventChannelError) {
            for _ in 0..<64 {
                guard let event = try guests.events.wait(until: now) else { return }
                let port = event.port
                // What rang is looked at after this, so nothing that rings from now on is lost.
                try event.unmask()
                if let place = ringPlaces[port], let ring = rings[place] {
                    scheduler.event(on: ring.ringID)
                } else if port == lookout?.port {
                    lookAtDomains()
                }
            }
        } catch {
            eventsFailed(error, guests)
        }
    }

    /// After an overflow the device has been reset: whoever rang may have been missed. Nothing else passes.
    private mutating func eventsFailed(_ error: EventChannelError, _ guests: GuestHost) {
        guard error.code != .overflow else {
            for case let ring? in rings { scheduler.event(on: ring.ringID) }
            return lookAtDomains()
        }
        tell(.eventsLost(reason: error.message))
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
        let isHeldBack = session.map { $0.isFull || $0.isHeldByCore } ?? false
        let hasWork = ring.hasWork(
            isReading: !isHeldBack, isWriting: session?.isBlocked ?? false)
        if case .lazy(let roundCount) = scheduler.checked(id, hasWork: hasWork) {
            tell(.lazyGuest(ring.domain, roundCount: roundCount))
        }
    }

    private mutating func serve(
        _ ring: DomainRing?, atMost budget: Int, _ buffer: inout [UInt8]
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
    private mutating func reconnect(_ ring: DomainRing) {
        if let session = session(of: ring) { end(session) }
        ring.session = nil
        do throws(LinkFailure) {
            try ring.reconnect()
            ring.session = open(ring.domain, over: ring).id
            tell(.ringReconnected(ring.domain))
        } catch {
            ring.disable(.communication)
            tell(
                .ringBroken(ring.domain, .communication, reason: "it cannot be notified"))
        }
    }
}

/// Why a domain has no ring.
struct RingRefusal: Error {
    let name: StoreErrorName
    let reason: String
    /// Xen knows no such domain.
    var isGone = false
}

extension RingRefusal {
    init(_ error: GrantError) { self.init(error.errorNumber, error.message) }
    init(_ error: EventChannelError) { self.init(error.errorNumber, error.message) }

    private init(_ number: ErrorNumber?, _ reason: String) {
        self.init(name: number.map { StoreErrorName($0) } ?? .invalid, reason: reason)
    }
}
