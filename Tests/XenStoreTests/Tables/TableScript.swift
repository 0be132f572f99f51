import StoreDaemons
import Testing
import XenCore
import XenStoreWire

/// A table of requests and what must come of them, run on any store.
///
/// One line a request: `CONNECTION TRANSACTION OPERATION PAYLOAD => OUTPUTS`, where `|` stands for NUL. Outputs, each
/// connection's in its order, are separated by ` ; `: see `Heard`. A connection is named for its domain (`0`, `3`, or
/// `0b` for another one of dom0), a transaction for how many its connection has started.
/// `introduce N` and `release N` are what Xen tells; a guest that no line introduces is there from the start.
/// `~ SERVER, SERVER => OUTPUTS # REASON` after a line is for servers that answer otherwise.
struct TableScript {
    let store: any TestedStore
    private var transactions = TransactionNames()

    init(on store: any TestedStore) { self.store = store }

    mutating func run(_ table: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let lines = try TableLine.lines(of: table)
        try introduceGuests(of: lines)
        for line in lines {
            let expected = line.expected[store.server] ?? line.usual
            var found: [Heard]
            do { found = try outputs(of: line) } catch {
                throw DaemonFailure("\(store.server): \(line.text): \(error)")
            }
            if line.operation == .transactionStart, let connection = line.connection {
                transactions.name(&found, of: connection)
            }
            let isAsExpected =
                store.server.ordersEvents
                ? texts(found.byConnection) == line.ordered(expected)
                : texts(found).sorted() == line.ordered(expected).sorted()
            #expect(
                isAsExpected, "\(store.server): \(line.text): \(found.byConnection.text)",
                sourceLocation: sourceLocation)
        }
    }

    /// An empty reply is no text.
    private func texts(_ heard: [Heard]) -> [String] {
        heard.map(\.description).filter { !$0.isEmpty }
    }

    private func outputs(of line: TableLine) throws -> [Heard] {
        switch line.action {
        case .introduce(let domain): try store.introduce(domain)
        case .release(let domain): try store.release(domain)
        case .request(let connection, let ordinal, let operation, let payload):
            try store.perform(
                operation, transactions.id(ordinal, on: connection), payload, on: connection)
        }
    }

    private func introduceGuests(of lines: [TableLine]) throws {
        let introduced = lines.compactMap { line -> DomainID? in
            guard case .introduce(let domain) = line.action else { return nil }
            return domain
        }
        for connection in Set(lines.compactMap(\.connection)).sorted() {
            guard connection.domain != .dom0, !introduced.contains(connection.domain) else {
                continue
            }
            _ = try store.introduce(connection.domain)
            try store.connect(connection)
        }
    }
}
