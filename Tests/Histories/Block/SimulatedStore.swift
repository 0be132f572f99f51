import XenCore
import XenStoreServer
import XenStoreWire

/// The store's server without sockets: its core, called directly.
final class SimulatedStore {
    private var core = StoreCore()
    private var sessions: [ConnectionID: StoreSession] = [:]

    func introduce(_ domain: DomainID) {
        var outputs: [StoreOutput] = []
        core.introduce(domain, &outputs)
        deliver(outputs)
    }

    func connect(as domain: DomainID) -> StoreSession {
        introduce(domain)
        let session = StoreSession(core.connect(as: domain), self)
        sessions[session.id] = session
        return session
    }

    /// A domain has gone: its connections end, and its nodes go.
    func release(_ domain: DomainID) {
        var outputs: [StoreOutput] = []
        core.release(domain, &outputs)
        deliver(outputs)
    }

    fileprivate func close(_ id: ConnectionID) {
        core.disconnect(id)
        sessions[id] = nil
    }

    fileprivate func perform(
        _ request: Request, from id: ConnectionID
    ) throws -> Packet? {
        let packet = try Packet(request.operation, requestID: 1, payload: request.payload)
        var reply: Packet?
        var outputs: [StoreOutput] = []
        // Quotas on time are for those who harm others, and nobody does here.
        core.handle(packet, from: id, now: Deadline(sinceEpoch: .zero), &outputs)
        for output in outputs {
            if case .send(id, let sent) = output, sent.operation != .watchEvent {
                reply = sent
            } else {
                deliver([output])
            }
        }
        return reply
    }

    private func deliver(_ outputs: [StoreOutput]) {
        for output in outputs {
            switch output {
            case .send(let id, _): sessions[id]?.hasEvent = true
            case .close(let id): sessions.removeValue(forKey: id)?.hasEnded()
            // Nobody here has a ring, and nobody reads the log.
            case .attach, .detach, .log: break
            }
        }
    }
}

/// One program's connection to the store.
final class StoreSession {
    let id: ConnectionID
    private let store: SimulatedStore
    private(set) var isOpen = true
    /// A watch has fired since this was last cleared.
    var hasEvent = false

    fileprivate init(_ id: ConnectionID, _ store: SimulatedStore) {
        self.id = id
        self.store = store
    }

    fileprivate func hasEnded() { isOpen = false }

    func close() {
        guard isOpen else { return }
        isOpen = false
        store.close(id)
    }

    /// - Returns: the reply's payload; nil if the request was refused, or the connection has ended.
    @discardableResult
    func perform(_ request: Request) throws -> [UInt8]? {
        guard isOpen, let reply = try store.perform(request, from: id) else { return nil }
        return reply.operation == .error ? nil : reply.payload
    }

    /// A node's value; nil if there is none, or none that we may see.
    func read(_ key: String, of directory: StorePath) throws -> String? {
        try perform(.read(directory.appending(StorePath(key)))).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    func write(_ values: [String: String], in directory: StorePath) throws {
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            try perform(.write(directory.appending(StorePath(key)), Array(value.utf8)))
        }
    }

    func watch(_ path: StorePath) throws { try perform(.watch(path, token: path.bytes)) }
}
