import XenCore
import XenStoreWire

/// A connection's side of the protocol as a value: requests and the server's bytes in; packets to send, replies and
/// watch events out. No byte of the server can do more than end the connection.
struct ClientCore: Sendable {
    /// What the server's bytes amount to.
    enum Arrival: Sendable {
        case reply(UInt32, Result<[UInt8], StoreError>)
        /// The watch with this token has something to take.
        case event(WatchToken)
        /// To send, so that nothing stays behind of a request that was withdrawn but carried out.
        case cleanUp(Request, TransactionID)
    }

    private struct Pending: Sendable {
        let request: Request
        let transaction: TransactionID
        var isWithdrawn = false
    }

    private struct Watch: Sendable {
        let path: StorePath
        var queue: WatchQueue
    }

    /// How many requests may be unanswered, withdrawn ones included.
    static let requestLimit = 4096

    let payloadByteCountLimit: Int
    private(set) var counters = ClientCounters()
    private var parser = PacketParser()
    private var pending: [UInt32: Pending] = [:]
    private var watches: [WatchToken: Watch] = [:]
    private var lastRequestID: UInt32 = 0
    private var lastToken: UInt64 = 0

    init(payloadByteCountLimit: Int) { self.payloadByteCountLimit = payloadByteCountLimit }

    // MARK: - Requests

    /// Gives a request an id that no other unanswered one has.
    ///
    /// Throws `.tooLong` when it does not fit, `.limitReached` when too many are unanswered.
    mutating func begin(
        _ request: Request, in transaction: TransactionID
    ) throws(StoreError) -> Packet {
        guard pending.count < Self.requestLimit else {
            throw StoreError(
                .limitReached,
                "\(request): \(pending.count) requests are unanswered; wait for replies")
        }
        let payload = request.payload
        guard payload.count <= payloadByteCountLimit else {
            throw StoreError(
                .tooLong,
                "\(request) has \(payload.count) bytes, and this connection takes \(payloadByteCountLimit)"
            )
        }
        repeat { lastRequestID &+= 1 } while lastRequestID == 0 || pending[lastRequestID] != nil
        pending[lastRequestID] = Pending(request: request, transaction: transaction)
        return try Packet(
            request.operation, requestID: lastRequestID, transaction: transaction, payload: payload)
    }

    /// Nobody waits for the reply any more.
    mutating func withdraw(_ id: UInt32) { pending[id]?.isWithdrawn = true }

    /// The request was never sent.
    mutating func forget(_ id: UInt32) { pending[id] = nil }

    /// The request that a reply is still due for.
    func request(_ id: UInt32) -> Request? { pending[id]?.request }

    // MARK: - Watches

    /// Makes a token, for which events are kept from now on.
    mutating func addWatch(_ path: StorePath, limit: Int) -> WatchToken {
        lastToken += 1
        let token = WatchToken(rawValue: lastToken)
        watches[token] = Watch(path: path, queue: WatchQueue(limit: limit))
        return token
    }

    /// Drops a watch's events. Returns the request that takes it back from the server.
    mutating func removeWatch(_ token: WatchToken) -> Request? {
        watches.removeValue(forKey: token).map { .unwatch($0.path, token: token.bytes) }
    }

    mutating func nextEvent(_ token: WatchToken) throws(StoreError) -> WatchEvent? {
        try watches[token]?.queue.next()
    }

    /// The connection has ended: every watch says so once its events are taken.
    mutating func finish(_ error: StoreError) {
        pending = [:]
        for token in watches.keys { watches[token]?.queue.finish(error) }
    }

    // MARK: - The server's bytes

    /// Takes bytes as they come. Throws `.protocolViolation` when the stream cannot be followed any more.
    mutating func receive(_ bytes: some Collection<UInt8>) throws(StoreError) -> [Arrival] {
        parser.append(bytes)
        var arrivals: [Arrival] = []
        while let packet = try parser.next() {
            // Events are known by their type: their id may be anything (Linux leaves it unset).
            let arrival = packet.operation == .watchEvent ? event(packet) : reply(packet)
            if let arrival { arrivals.append(arrival) }
        }
        return arrivals
    }

    private mutating func event(_ packet: Packet) -> Arrival? {
        guard let (path, bytes) = try? Reply.event(packet.payload) else {
            counters.malformedEvents += 1
            return nil
        }
        guard let token = WatchToken(bytes: bytes), watches[token] != nil else {
            counters.unknownEvents += 1
            return nil
        }
        watches[token]?.queue.add(path)
        return .event(token)
    }

    private mutating func reply(_ packet: Packet) -> Arrival? {
        guard let request = pending.removeValue(forKey: packet.requestID) else {
            counters.unknownReplies += 1
            return nil
        }
        guard request.isWithdrawn else {
            return .reply(packet.requestID, Self.result(of: request.request, packet))
        }
        counters.lateReplies += 1
        return cleanUp(after: request, packet)
    }

    private static func result(of request: Request, _ packet: Packet) -> Result<[UInt8], StoreError>
    {
        switch packet.operation {
        case request.operation: .success(packet.payload)
        case .error: .failure(request.refused(StoreErrorName(payload: packet.payload)))
        default:
            .failure(
                StoreError(.protocolViolation, "\(request) was answered with \(packet.operation)"))
        }
    }

    /// A transaction or watch that the server made for a request that nobody waits for is taken back.
    private func cleanUp(after pending: Pending, _ packet: Packet) -> Arrival? {
        guard packet.operation == pending.request.operation else { return nil }
        switch pending.request {
        case .transactionStart:
            guard let id = try? Reply.transaction(packet.payload) else { return nil }
            return .cleanUp(.transactionEnd(commit: false), id)
        case .watch(let path, let token, _):
            return .cleanUp(.unwatch(path, token: token), .none)
        default: return nil
        }
    }
}

extension Request {
    /// The error for a refusal, with what the caller can do about it.
    func refused(_ name: StoreErrorName) -> StoreError {
        let advice =
            switch name {
            case .noEntry: "no such node"
            case .accessDenied: "this domain has no permission for it"
            case .notPermitted: "only a privileged domain may do this"
            case .noSpace: "a quota of the server is used up"
            case .notImplemented: "this server does not know the operation"
            case .again: "it conflicts with another change; try again"
            case .tooBig: "the answer does not fit one packet"
            default: "the server refused"
            }
        return StoreError(.refused, name: name, "\(self): \(advice)")
    }
}
