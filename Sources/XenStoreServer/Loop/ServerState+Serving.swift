import XenCore
import XenRing
import XenStoreWire
import XenSystem

/// What the loop does in a turn: requests are read, a budget for each connection, and all replies written after.
extension ServerState {
    /// Requests of one connection in one turn.
    private static let budget = 64

    /// A socket is ready.
    mutating func serve(_ session: ServerSession, _ event: Epoll.Event, _ buffer: inout [UInt8]) {
        if event.isWritable, !flush(session) { return }
        if event.hasEnded, session.isFull || session.isHeldByCore { return end(session) }
        // Nobody's requests pile up here: more is read once those that were read are served.
        guard event.isReadable, !session.isFull, !session.isHeldByCore, !session.isOwed else {
            return settle(session)
        }
        do throws(LinkFailure) {
            _ = try session.fill(&buffer)
            try serveRequests(of: session, atMost: Self.budget)
        } catch { fail(session, error) }
    }

    /// Serves those who are owed something: whole requests that were read before.
    mutating func serveOwed() {
        guard !owed.isEmpty else { return }
        let turn = owed
        owed = []
        for id in turn {
            guard let session = session(id) else { continue }
            session.isOwed = false
            do throws(LinkFailure) {
                try serveRequests(of: session, atMost: Self.budget)
            } catch { fail(session, error) }
        }
    }

    /// Serves what was read, or has the rest served later.
    mutating func serveRequests(
        of session: ServerSession, atMost budget: Int
    ) throws(LinkFailure) {
        for _ in 0..<budget {
            // Once the reader has taken what waits, or the domain may go on, it is owed the rest.
            if session.isFull { return }
            guard core.mayServe(session.id, now: now) else { return hold(session) }
            guard let request = try session.nextRequest() else { return }
            core.handle(request, from: session.id, now: now, &outputs)
            carryOut()
            // The request may have ended its own connection.
            guard self.session(session.id) != nil else { return }
        }
        owe(session)
    }

    private mutating func owe(_ session: ServerSession) {
        guard !session.isOwed else { return }
        session.isOwed = true
        owed.append(session.id)
    }

    /// Goes on with a session that was held back: with what was read, and with what waits in a ring.
    private mutating func resume(_ session: ServerSession) {
        owe(session)
        if let ring = session.link as? DomainRing { scheduler.event(on: ring.ringID) }
    }

    /// Has limits that were changed hold for the sessions that are open.
    mutating func adoptQuotas() {
        guard core.quotaChangeCount != adoptedQuotaChangeCount else { return }
        adoptedQuotaChangeCount = core.quotaChangeCount
        for case let session? in sessions {
            let wasFull = session.isFull
            session.replyLimit = replyLimit(of: session.domain)
            if wasFull, !session.isFull { resume(session) }
            settle(session)
        }
    }

    private mutating func hold(_ session: ServerSession) {
        guard !session.isHeldByCore else { return }
        session.isHeldByCore = true
        heldByCore.append(session.id)
        settle(session)
    }

    /// Those whose domain the core serves again are owed what waits.
    mutating func releaseHeld() {
        guard !heldByCore.isEmpty else { return }
        let waiting = heldByCore
        heldByCore = []
        for id in waiting {
            guard let session = session(id) else { continue }
            guard core.mayServe(id, now: now) else {
                heldByCore.append(id)
                continue
            }
            session.isHeldByCore = false
            resume(session)
            settle(session)
        }
    }

    // MARK: - What the core wants done

    /// Does what is in `outputs`, and what comes of it.
    mutating func carryOut() {
        // A reply alone, as nearly always, is taken out, and so not copied.
        while outputs.count == 1, let output = outputs.popLast() { carryOut(output) }
        guard !outputs.isEmpty else { return }
        var index = 0
        while index < outputs.count {
            carryOut(outputs[index])
            index += 1
        }
        outputs.removeAll(keepingCapacity: true)
    }

    private mutating func carryOut(_ output: StoreOutput) {
        switch output {
        case .send(let id, let packet): send(packet, to: id)
        // The core has forgotten it.
        case .close(let id): if let session = session(id) { sessions[session.id.place] = nil }
        case .attach(let domain, let port, let ticket): attach(domain, port, ticket)
        case .detach(let domain): detach(domain)
        case .log(let notice): tell(notice)
        }
    }

    private mutating func send(_ packet: Packet, to id: ConnectionID) {
        guard let session = session(id) else { return }
        guard session.queue(packet) else {
            tell(.overflowed(session.domain, byteCount: session.queuedByteCount))
            return fail(session, .notRead)
        }
        guard !session.isDirty else { return }
        session.isDirty = true
        dirty.append(id)
    }

    // MARK: - Writing

    /// Writes all that was queued in this turn.
    mutating func flush() {
        guard !dirty.isEmpty else { return }
        var index = 0
        // Ending a connection may have more to say.
        while index < dirty.count {
            if let session = session(dirty[index]) {
                session.isDirty = false
                _ = flush(session)
            }
            index += 1
        }
        dirty.removeAll(keepingCapacity: true)
    }

    /// Writes what fits. False when the connection has ended.
    mutating func flush(_ session: ServerSession) -> Bool {
        let wasFull = session.isFull
        do throws(LinkFailure) { try session.flush() } catch {
            fail(session, error)
            return false
        }
        if wasFull, !session.isFull { resume(session) }
        // A guest that is paused reads again when it runs, and could not reconnect: it waits as long as it takes.
        if session.isFull, session.isBlocked, session.link is SocketLink {
            slowReaders.add(session, until: now + stallTimeout)
        }
        settle(session)
        return true
    }

    /// Ends those whose reader has taken nothing for too long while it had much to take.
    mutating func endStalled() {
        while let (id, progress) = slowReaders.takeExpired(at: now) {
            guard let session = session(id) else { continue }
            session.isTimed = false
            guard session.isFull, session.isBlocked else { continue }
            guard session.progress == progress else {
                slowReaders.add(session, until: now + stallTimeout)
                continue
            }
            tell(.stalled(session.domain, byteCount: session.queuedByteCount))
            fail(session, .notRead)
        }
    }
}
