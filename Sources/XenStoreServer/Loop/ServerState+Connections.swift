import XenCore
import XenStoreWire
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Connections that begin and end.
extension ServerState {
    mutating func listen(_ descriptor: SharedDescriptor, path: String) throws(SystemFailure) {
        let token = Token.listener(listeners.count)
        try epoll.add(descriptor.owned.rawValue, .readable, token: token.rawValue)
        listeners.append(Listener(descriptor: descriptor, path: path))
    }

    mutating func connect(
        _ descriptor: SharedDescriptor, as domain: DomainID
    ) throws(SystemFailure) {
        core.introduce(domain, &outputs)
        carryOut()
        let link = SocketLink(descriptor)
        let session = open(domain, over: link)
        do throws(SystemFailure) {
            try epoll.add(link.descriptor, .readable, token: Token.session(session.id).rawValue)
        } catch {
            end(session)
            throw error
        }
    }

    /// Takes connections that wait, a few in a turn.
    mutating func accept(_ index: Int) {
        do throws(SystemFailure) {
            for _ in 0..<16 {
                let descriptor = try UnixSocket.accept(from: listeners[index].descriptor.owned)
                try connect(SharedDescriptor(descriptor), as: .dom0)
            }
        } catch {
            if error.errorNumber != .again { pauseAccepting(error) }
        }
    }

    /// Without descriptors left the listeners would stay ready, and the loop would never sleep.
    private mutating func pauseAccepting(_ error: SystemFailure) {
        acceptPause = now + .milliseconds(100)
        tell(.acceptPaused(reason: "\(error)"))
        listen(for: [])
    }

    mutating func resumeAccepting() {
        guard let pause = acceptPause, pause <= now else { return }
        acceptPause = nil
        listen(for: .readable)
    }

    private mutating func listen(for interest: Epoll.Interest) {
        for (index, listener) in listeners.enumerated() {
            try? epoll.change(
                listener.descriptor.owned.rawValue, to: interest,
                token: Token.listener(index).rawValue)
        }
    }

    /// Begins a session.
    mutating func open(_ domain: DomainID, over link: any SessionLink) -> ServerSession {
        let id = core.connect(as: domain)
        let session = ServerSession(
            id, domain, over: link, outputLimit: core.quota.outputByteCount,
            replyLimit: replyLimit(of: domain))
        while sessions.count <= id.place { sessions.append(nil) }
        sessions[id.place] = session
        return session
    }

    /// The most replies that may wait for a domain's reader; nil without bound.
    func replyLimit(of domain: DomainID) -> Int? {
        let limit = domain == .dom0 ? 0 : core.quota(of: domain).outstanding
        return limit == 0 ? nil : limit
    }

    /// Waits for what the session can do now. No system call unless that has changed.
    mutating func settle(_ session: ServerSession) {
        let waitsToRead = !session.isFull && !session.isHeldByCore
        // Nearly always nothing has changed: two flags are compared sooner than sets are made.
        guard waitsToRead != session.waitsToRead || session.isBlocked != session.waitsToWrite
        else { return }
        session.waitsToRead = waitsToRead
        session.waitsToWrite = session.isBlocked
        guard let link = session.link as? SocketLink else { return }
        var interest: Epoll.Interest = []
        if session.waitsToRead { interest.insert(.readable) }
        if session.waitsToWrite { interest.insert(.writable) }
        do throws(SystemFailure) {
            try epoll.change(
                link.descriptor, to: interest, token: Token.session(session.id).rawValue)
        } catch { end(session) }
    }

    /// No more bytes go to or from this client: says why, and ends the connection.
    mutating func fail(_ session: ServerSession, _ failure: LinkFailure) {
        guard self.session(session.id) != nil else { return }
        let ring = session.link as? DomainRing
        switch failure {
        case .ended: break
        // Whoever found that out has said so.
        case .notRead: ring?.disable(.communication)
        case .broken(let fault, let reason):
            if let ring {
                ring.disable(fault)
                tell(.ringBroken(session.domain, fault, reason: reason))
            } else if fault == .protocolViolation {
                tell(.protocolViolation(session.domain, reason: reason))
            }
        }
        end(session)
    }

    /// Ends a connection, and has the core forget it.
    mutating func end(_ session: ServerSession) {
        guard self.session(session.id) != nil else { return }
        sessions[session.id.place] = nil
        core.disconnect(session.id)
    }

    /// Ends every connection as a restart would: clients on sockets see the end, guests lose watches and transactions.
    mutating func disconnectAll() {
        for case let session? in sessions {
            end(session)
            if let ring = session.link as? DomainRing {
                ring.session = open(ring.domain, over: ring).id
            }
        }
    }

    mutating func stop() {
        guard !isStopped else { return }
        isStopped = true
        for listener in listeners { _ = unsafe unlink(listener.path) }
        listeners = []
        sessions = []
        rings = []
        lookout = nil
        ringPlaces = [:]
    }

    /// What every connection has.
    var report: [StoreServerConnection] {
        sessions.compactMap { session in
            guard let session, let slot = core.connections.slot(of: session.id) else { return nil }
            let connection = core.connections[slot]
            return StoreServerConnection(
                domain: session.domain, isRing: session.link is DomainRing,
                queuedByteCount: session.queuedByteCount,
                outstandingCount: session.outstandingCount,
                watchCount: connection.watches.count,
                transactionCount: connection.transactions.count,
                memoryByteCount: session.byteCapacity + core.memory(of: session.id),
                isHeldBack: session.isFull || session.isHeldByCore)
        }
    }
}
