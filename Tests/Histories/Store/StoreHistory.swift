import XenCore
import XenStoreServer
import XenStoreWire
package import XenTesting

extension SimulatedHistory {
    /// Several clients of several domains make random requests, and our server's core does as the model says: reply by
    /// reply and event by event, in one order.
    ///
    /// - Parameter flaw: what the model gets wrong, to see that such a thing is found.
    package static func store(flaw: ModelFlaw? = nil) -> SimulatedHistory {
        SimulatedHistory("store") { simulation in
            try StoreStage(simulation, ModelStore(flaw: flaw)).play()
        }
    }
}

/// Our server's core, and the model beside it.
private final class StoreStage {
    private let simulation: Simulation
    private var core = StoreCore()
    private var model: ModelStore
    private var ids: [ConnectionID] = []
    private let now = Deadline(sinceEpoch: .seconds(1000))

    init(_ simulation: Simulation, _ model: ModelStore) {
        self.simulation = simulation
        self.model = model
    }

    func play() throws {
        for domain: UInt16 in [3, 4] { try introduce(DomainID(domain)) }
        for domain: UInt16 in [0, 0, 3, 4] { connect(as: DomainID(domain)) }
        for domain: UInt16 in [3, 4] {
            let home = "/local/domain/\(domain)"
            try perform(.makeDirectory(home), from: 0, in: 0)
            try perform(
                .setPermissions(home, [Permission(.none, for: DomainID(domain))]), from: 0, in: 0)
        }
        let count = simulation.choices.number("steps", in: 5..<40)
        for index in 0..<count where simulation.choices.happens("step", 1) {
            try step(index)
        }
        try compareTrees()
    }

    private func step(_ index: Int) throws {
        func pick<Element>(_ what: String, _ from: [Element]) -> Element {
            from[simulation.choices.number("\(what) \(index)", in: 0..<from.count)]
        }
        switch pick("what", StoreSteps.happenings) {
        case .request:
            let open = model.connections.indices.filter { model.connections[$0] != nil }
            let id = pick("connection", open)
            let transactions = model.connections[id]?.transactions.keys.sorted() ?? []
            let isInside = !transactions.isEmpty && pick("inside", [true, true, true, false])
            let transaction = isInside ? pick("transaction", transactions) : 0
            try perform(StoreSteps.request(isInside: isInside, pick), from: id, in: transaction)
        case .reconnect:
            let id = pick("connection", Array(0..<ids.count))
            guard let connection = model.connections[id] else { return }
            core.disconnect(ids[id])
            model.disconnect(id)
            simulation.note("\(id) ends")
            connect(as: connection.domain)
        case .release:
            // With transactions open this is a matter of tables.
            let isOpen = model.connections.contains { $0?.transactions.isEmpty == false }
            if !isOpen { try release(DomainID(4)) }
        }
    }

    private func connect(as domain: DomainID) {
        ids.append(core.connect(as: domain))
        let id = model.connect(as: domain)
        simulation.note("\(id) is a connection of \(domain)")
    }

    private func introduce(_ domain: DomainID) throws {
        try compare("introduce \(domain)", model.introduce(domain)) { core, outputs in
            core.introduce(domain, &outputs)
        }
    }

    /// The domain goes, and another gets its number.
    private func release(_ domain: DomainID) throws {
        try compare("release \(domain)", model.release(domain)) { core, outputs in
            core.release(domain, &outputs)
        }
        try introduce(domain)
        connect(as: domain)
    }

    private func perform(_ request: ModelRequest, from id: Int, in transaction: UInt32) throws {
        let payload = request.text.utf8.map { $0 == UInt8(ascii: "|") ? 0 : $0 }
        let packet = try Packet(
            request.operation, requestID: 1, transaction: TransactionID(rawValue: transaction),
            payload: payload)
        let said = model.handle(request, from: id, in: transaction)
        try compare("\(id) \(transaction) \(request)", said) { core, outputs in
            core.handle(packet, from: ids[id], now: now, &outputs)
        }
    }

    private func compare(
        _ what: String, _ expected: [ModelStore.Said],
        _ body: (inout StoreCore, inout [StoreOutput]) -> Void
    ) throws {
        var outputs: [StoreOutput] = []
        body(&core, &outputs)
        let found = outputs.compactMap { said($0) }
        simulation.note("\(what) => \(found)")
        guard found != expected else { return }
        throw SimulationFailure(
            "the store does as the model says", "\(what) => \(found), but the model: \(expected)")
    }

    private func said(_ output: StoreOutput) -> ModelStore.Said? {
        switch output {
        case .send(let id, let packet):
            let text = packet.payload.map { $0 == 0 ? UInt8(ascii: "|") : $0 }
            let words = String(decoding: text, as: UTF8.self)
            let number = ids.firstIndex(of: id) ?? -1
            switch packet.operation {
            case .watchEvent: return .event(number, words)
            case .error: return .refusal(number, String(words.dropLast()))
            default: return .reply(number, words)
            }
        case .close(let id): return .closed(ids.firstIndex(of: id) ?? -1)
        case .attach, .detach, .log: return nil
        }
    }

    /// In the end both hold the same, and the core finds itself sound.
    private func compareTrees() throws {
        connect(as: .dom0)
        let last = ids.count - 1
        for path in model.live.nodes.keys.sorted() {
            if path.hasPrefix("/") {
                try perform(.read(path), from: last, in: 0)
                try perform(.directory(path), from: last, in: 0)
            }
            try perform(.getPermissions(path), from: last, in: 0)
        }
        let findings = core.findings()
        guard findings.isEmpty else {
            throw SimulationFailure("the store is sound", findings.joined(separator: "; "))
        }
    }
}
