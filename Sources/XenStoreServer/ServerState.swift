import XenCore
import XenStoreWire
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The core, and the descriptors that its connections are.
struct ServerState: Sendable {
    /// What a descriptor in the loop is.
    enum Source: Sendable {
        case listener(Int)
        case session(ConnectionID)
    }

    /// What to wait for, and how long.
    struct Round: Sendable {
        var polled: [Polled] = []
        var deadline = Deadline.after(.seconds(3600))
    }

    struct Polled: Sendable {
        let source: Source
        let descriptor: SharedDescriptor
        let interest: PollInterest
    }

    private struct Listener: Sendable {
        let descriptor: SharedDescriptor
        let path: String
    }

    private var core: StoreCore
    private var sessions: [ConnectionID: ServerSession] = [:]
    private var listeners: [Listener] = []
    /// When accepting failed for want of descriptors: not to be tried before this.
    private var acceptPause = Deadline.now
    private(set) var isStopped = false

    init(quota: StoreQuota) { core = StoreCore(quota: quota) }

    // MARK: - What the server's owner does

    mutating func listen(_ descriptor: SharedDescriptor, path: String) {
        listeners.append(Listener(descriptor: descriptor, path: path))
    }

    mutating func connect(_ descriptor: SharedDescriptor, as domain: DomainID) {
        introduce(domain)
        let id = core.connect(as: domain)
        sessions[id] = ServerSession(descriptor, outputLimit: core.quota.outputByteCount)
    }

    mutating func introduce(_ domain: DomainID) {
        var outputs: [StoreOutput] = []
        core.introduce(domain, &outputs)
        carryOut(outputs)
    }

    mutating func release(_ domain: DomainID) {
        var outputs: [StoreOutput] = []
        core.release(domain, &outputs)
        carryOut(outputs)
    }

    mutating func stop() {
        guard !isStopped else { return }
        isStopped = true
        for listener in listeners { _ = unsafe unlink(listener.path) }
        listeners = []
        sessions = [:]
    }

    // MARK: - What the loop does

    /// Nil to end.
    func nextRound() -> Round? {
        guard !isStopped else { return nil }
        var round = Round()
        if acceptPause.hasPassed {
            for (index, listener) in listeners.enumerated() {
                round.polled.append(
                    Polled(
                        source: .listener(index), descriptor: listener.descriptor,
                        interest: .readable))
            }
        } else {
            round.deadline = acceptPause
        }
        for (id, session) in sessions {
            if session.isOwedService { round.deadline = .now }
            round.polled.append(
                Polled(
                    source: .session(id), descriptor: session.descriptor, interest: session.interest
                ))
        }
        return round
    }

    mutating func serve(_ source: Source, isReadable: Bool, _ buffer: inout [UInt8]) {
        switch source {
        case .listener(let index): if isReadable { accept(index) }
        case .session(let id): serve(id, isReadable: isReadable, &buffer)
        }
    }

    /// Writes what waits. A reader that has gone ends its connection, and one that catches up is served again.
    mutating func flush() {
        for id in sessions.keys where sessions[id]?.flush() == false { end(id) }
    }

    private mutating func accept(_ index: Int) {
        guard listeners.indices.contains(index) else { return }
        do throws(SystemFailure) {
            let descriptor = try UnixSocket.accept(from: listeners[index].descriptor.owned)
            connect(SharedDescriptor(descriptor), as: .dom0)
        } catch {
            if error.errorNumber != .again { acceptPause = .after(.milliseconds(100)) }
        }
    }

    private mutating func serve(_ id: ConnectionID, isReadable: Bool, _ buffer: inout [UInt8]) {
        // First what waits, so that a client that was held back goes on with requests already read.
        guard sessions[id]?.flush() == true else { return end(id) }
        if isReadable, sessions[id]?.fill(&buffer) == false { return end(id) }
        do throws(StoreError) {
            while let request = try nextRequest(of: id) {
                var outputs: [StoreOutput] = []
                core.handle(request, from: id, now: .now, &outputs)
                carryOut(outputs)
            }
        } catch { end(id) }
    }

    private mutating func nextRequest(of id: ConnectionID) throws(StoreError) -> Packet? {
        try sessions[id]?.nextRequest()
    }

    private mutating func carryOut(_ outputs: [StoreOutput]) {
        for output in outputs {
            switch output {
            case .send(let id, let packet): if sessions[id]?.queue(packet) == false { end(id) }
            case .close(let id): end(id)
            case .attach(_, port: _, let ticket):
                var answers: [StoreOutput] = []
                core.attached(ticket, as: nil, now: .now, &answers)
                carryOut(answers)
            case .detach, .log: break
            }
        }
    }

    private mutating func end(_ id: ConnectionID) {
        sessions[id] = nil
        core.disconnect(id)
    }
}
