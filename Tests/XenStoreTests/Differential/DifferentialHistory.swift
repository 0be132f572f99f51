import StoreDaemons
import XenCore
import XenStoreWire
import XenTesting

/// A random history of dom0 and two guests, played to our server's core and to xenstored side by side.
final class DifferentialHistory {
    private let simulation: Simulation
    private let ours: CoreStore
    private let theirs: any TestedStore
    private let totals: DifferentialTotals
    private var names = (ours: TransactionNames(), theirs: TransactionNames())
    private var transactions = OpenTransactions()
    private var isOver = false

    static func simulated(_ totals: DifferentialTotals) -> SimulatedHistory {
        SimulatedHistory("our store beside xenstored") { simulation in
            let history = DifferentialHistory(
                simulation, ours: CoreStore(), theirs: try WiredStore(try DaemonHost(.c)), totals)
            try history.play()
        }
    }

    private init(
        _ simulation: Simulation, ours: CoreStore, theirs: any TestedStore,
        _ totals: DifferentialTotals
    ) {
        self.simulation = simulation
        self.ours = ours
        self.theirs = theirs
        self.totals = totals
    }

    private func play() throws {
        try setUp()
        let source = StepSource(choices: simulation.choices)
        for index in 0..<100 where !isOver {
            let step = source.step(
                index, started: transactions.started, open: transactions.open)
            if simulation.choices.happens("step", 1) { try play(step) }
        }
        if !isOver { try compareTrees() }
    }

    /// The guests are introduced, and have homes of their own.
    private func setUp() throws {
        for domain: UInt16 in [3, 4] {
            _ = ours.introduce(DomainID(domain))
            _ = try theirs.introduce(DomainID(domain))
        }
        for connection in StepSource.connections {
            ours.connect(connection)
            try theirs.connect(connection)
        }
        let toolstack = StepSource.connections[0]
        for domain in [3, 4] {
            let home = "/local/domain/\(domain)|"
            try play(StoreStep(toolstack, .makeDirectory, home))
            try play(StoreStep(toolstack, .setPermissions, "\(home)n\(domain)|"))
        }
    }

    private func play(_ step: StoreStep) throws {
        var own = try ours.perform(
            step.operation, names.ours.id(step.transaction, on: step.connection), step.payload,
            on: step.connection)
        var other = try theirs.perform(
            step.operation, names.theirs.id(step.transaction, on: step.connection), step.payload,
            on: step.connection)
        if step.operation == .transactionStart {
            names.ours.name(&own, of: step.connection)
            names.theirs.name(&other, of: step.connection)
        }
        own = own.comparable(step)
        other = other.comparable(step)
        simulation.note("\(step) => \(own.text)")
        totals.count()
        if own != other { try explain(step, own, other) }
        transactions.note(step, other)
    }

    private func explain(_ step: StoreStep, _ own: [Heard], _ other: [Heard]) throws {
        let record = transactions.record(of: step)
        let changes = transactions.changes(before: step)
        let differing = DifferingStep(
            step: step, ours: own, theirs: other, transaction: record,
            hasRemoved: changes.contains { $0.operation == .remove },
            answerByNow: record == nil
                ? nil : try ours.answer(to: step, inTransactionOf: changes))
        guard let difference = StoreDifference.explaining(differing) else {
            throw SimulationFailure(
                "our server answers \(step.operation) as xenstored",
                "\(step) => \(own.text), but xenstored: \(other.text)")
        }
        totals.count(difference)
        isOver = difference.consequence == .end
    }

    /// In the end both hold the same.
    private func compareTrees() throws {
        var pending: [StorePath] = [.root]
        while let path = pending.popLast() {
            for operation: StoreOperation in [.read, .getPermissions, .directory] {
                try play(StoreStep(StepSource.connections[0], operation, "\(path)|"))
            }
            let heard = try theirs.perform(
                .directory, .none, path.bytes + [0], on: StepSource.connections[0])
            guard case .reply(let payload) = heard.reply else { continue }
            for name in try Reply.names(payload) {
                pending.append(try path.appending(try StorePath(bytes: name)))
            }
        }
    }
}

extension StoreStep {
    fileprivate init(
        _ connection: ConnectionName, _ operation: StoreOperation, _ payload: String
    ) {
        self.init(
            connection: connection, transaction: 0, operation: operation,
            payload: Script.octets(payload))
    }
}

extension [Heard] {
    /// As clients see it, without what each server may do as it likes: DIRECTORY_PART's generation is its own, and
    /// of equal events it may send one.
    fileprivate func comparable(_ step: StoreStep) -> [Heard] {
        var seen: Set<Heard> = []
        return byConnection.compactMap { heard in
            switch heard.what {
            case .event: return seen.insert(heard).inserted ? heard : nil
            case .reply(let payload) where step.operation == .directoryPart:
                return Heard(heard.connection, .reply([UInt8](payload.drop { $0 != 0 })))
            default: return heard
            }
        }
    }
}
