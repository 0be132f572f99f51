import XenCore
import XenStoreServer
import XenStoreWire

/// The server's core, its outputs held to the protocol: this alone knows the core.
struct FuzzedStore {
    private var core: StoreCore
    private var outputs: [StoreOutput] = []
    private var now = Deadline(sinceEpoch: .seconds(1))
    private var clients: [ConnectionID: Client] = [:]
    private var tickets: [IntroductionTicket] = []
    private var lastRequestID: UInt32 = 0

    /// What a connection may expect of the server.
    private struct Client {
        let domain: DomainID
        var tokens: Set<[UInt8]> = []
        var transactions: [TransactionID] = []
        /// Requests that the server answers later.
        var unanswered: [UInt32: Packet] = [:]
    }

    /// In the order of their opening.
    private(set) var connections: [ConnectionID] = []

    init(quota: StoreQuota) { core = StoreCore(quota: quota) }

    func transactions(of connection: ConnectionID) -> [TransactionID] {
        clients[connection]?.transactions ?? []
    }

    // MARK: - What happens to the server

    mutating func connect(as domain: DomainID) {
        guard connections.count < 8 else { return }
        let id = core.connect(as: domain)
        require(clients[id] == nil, "a connection's name was used again")
        clients[id] = Client(domain: domain)
        connections.append(id)
    }

    mutating func disconnect(_ connection: ConnectionID?) {
        guard let connection else { return }
        core.disconnect(connection)
        forget(connection)
        require(core.memory(of: connection) == 0, "a connection that ended holds memory")
    }

    mutating func introduce(_ domain: DomainID) {
        core.introduce(domain, &outputs)
        judge()
    }

    mutating func release(_ domain: DomainID) {
        core.release(domain, &outputs)
        judge()
        let left = clients.values.contains { $0.domain == domain }
        require(domain == .dom0 || !left, "a connection outlived its domain")
    }

    mutating func shutDown(_ domain: DomainID) {
        core.shutDown(domain, &outputs)
        judge()
    }

    mutating func answerAttachment(succeeding: Bool) {
        guard let ticket = tickets.popLast() else { return }
        if succeeding {
            core.attached(ticket, as: nil, &outputs)
        } else {
            core.failedToAttach(ticket, .inputOutput, &outputs)
        }
        judge()
    }

    mutating func pass(milliseconds: Int) {
        now = Deadline(sinceEpoch: now.sinceEpoch + .milliseconds(milliseconds))
    }

    /// Sends a request, unless its client is held back. It must be answered once, now or by a ticket.
    mutating func send(
        _ operation: StoreOperation, _ payload: [UInt8], in transaction: TransactionID,
        from connection: ConnectionID
    ) {
        guard core.mayServe(connection, now: now) else {
            return require(core.nextWake != nil, "held back for ever")
        }
        lastRequestID += 1
        guard
            let packet = try? Packet(
                operation, requestID: lastRequestID, transaction: transaction, payload: payload)
        else { return }
        let ticketCount = tickets.count
        clients[connection]?.unanswered[lastRequestID] = packet
        core.handle(packet, from: connection, now: now, &outputs)
        judge()
        let isAnswered = clients[connection]?.unanswered[lastRequestID] == nil
        require(isAnswered || tickets.count == ticketCount + 1, "\(operation) was not answered")
    }

    // MARK: - What must hold

    func checkState() {
        let findings = core.findings()
        require(findings.isEmpty, findings.joined(separator: "; "))
    }

    /// When all have gone, nothing is left of them.
    mutating func end() {
        checkState()
        for connection in connections { disconnect(connection) }
        for domain in [1, 2, 3, 0x7FEF, 0x7FF0] as [UInt16] { release(DomainID(domain)) }
        while !tickets.isEmpty { answerAttachment(succeeding: true) }
        checkState()
    }

    /// Takes the outputs, each of which must be legal.
    private mutating func judge() {
        for output in outputs {
            switch output {
            case .send(let connection, let packet): judge(packet, to: connection)
            case .close(let connection):
                require(clients[connection] != nil, "closed, and was not open")
                forget(connection)
            case .attach(_, _, let ticket): tickets.append(ticket)
            case .detach, .log: break
            }
        }
        outputs.removeAll(keepingCapacity: true)
    }

    private mutating func judge(_ packet: Packet, to connection: ConnectionID) {
        require(clients[connection] != nil, "a packet to nobody")
        guard packet.operation != .watchEvent else {
            let token = (try? Reply.event(packet.payload))?.token
            let isKnown = token.map { clients[connection]?.tokens.contains($0) ?? false }
            return require(isKnown == true, "an event of no watch: \(packet.payload)")
        }
        guard let request = clients[connection]?.unanswered.removeValue(forKey: packet.requestID)
        else { return require(false, "an answer to no request") }
        require(packet.transaction == request.transaction, "an answer in another transaction")
        if packet.operation == .error { return judge(refusal: packet.payload) }
        require(packet.operation == request.operation, "an answer of another operation")
        require(Self.isLegal(packet), "\(packet.operation) answered \(packet.payload)")
        note(request, packet, connection)
    }

    private func judge(refusal payload: [UInt8]) {
        let isWord = payload.last == 0 && payload.first == UInt8(ascii: "E")
        require(isWord && payload.count { $0 == 0 } == 1, "an error of no name")
    }

    /// Whether a client can read it.
    private static func isLegal(_ reply: Packet) -> Bool {
        let payload = reply.payload
        return switch reply.operation {
        case .read, .control, .getQuota, .getFeature: true
        case .directory: (try? Reply.names(payload)) != nil
        case .directoryPart: (try? Reply.part(payload)) != nil
        case .getPermissions: (try? Reply.permissions(payload)) != nil
        case .transactionStart: (try? Reply.transaction(payload)) != nil
        case .getDomainPath: (try? Reply.path(payload)) != nil
        case .isDomainIntroduced: (try? Reply.boolean(payload)) != nil
        default: payload == Reply.acknowledgement
        }
    }

    /// Keeps what the answer means for later ones.
    private mutating func note(_ request: Packet, _ reply: Packet, _ connection: ConnectionID) {
        switch request.operation {
        case .watch:
            if case .watch(_, let token, _)? = try? Request(
                decoding: .watch, payload: request.payload)
            {
                clients[connection]?.tokens.insert(token)
            }
        case .transactionStart:
            if let id = try? Reply.transaction(reply.payload) {
                let isOpen = transactions(of: connection).contains(id)
                require(!isOpen, "a transaction's name is used twice")
                clients[connection]?.transactions.append(id)
            }
        case .transactionEnd:
            clients[connection]?.transactions.removeAll { $0 == request.transaction }
        case .resetWatches:
            clients[connection]?.tokens = []
            clients[connection]?.transactions = []
        default: break
        }
    }

    private mutating func forget(_ connection: ConnectionID) {
        clients[connection] = nil
        connections.removeAll { $0 == connection }
    }
}
