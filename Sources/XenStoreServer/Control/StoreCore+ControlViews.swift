import XenCore
import XenStoreWire

/// What CONTROL shows of the store, line by line.
extension StoreCore {
    var memoryReport: [String] {
        [
            "nodes: \(tree.snapshot.nodes.count)", "watches: \(watches.count)",
            "transactions: \(transactions.count)", "connections: \(connections.count)",
        ]
            + domains.keys.map { domain in
                let usage = usage(of: domain)
                return "domain \(domain.rawValue): \(usage.memory) bytes in \(usage.nodes) nodes, "
                    + "\(usage.watches) watches, \(usage.transactions) transactions"
            }
    }

    var connectionLines: [String] {
        connections.all.map { connection in
            "\(connection.id.rawValue) domain \(connection.holder.domain.rawValue): "
                + "\(connection.watches.count) watches, "
                + "\(connection.transactions.count) transactions, \(memory(of: connection)) bytes"
        }
    }

    var watchLines: [String] {
        watches.all.map { watch in
            let domain = connections.holder(of: watch.connection)?.domain ?? .dom0
            let token = String(decoding: watch.token.prefix(64), as: UTF8.self)
            return "\(watch.connection.rawValue) domain \(domain.rawValue): \(watch.path) \(token)"
                + (watch.depth.map { " depth \($0)" } ?? "")
        }
    }

    var transactionLines: [String] {
        connections.all.flatMap { connection in
            connection.transactions.entries.map { entry in
                let transaction = transactions[entry.slot]
                return "\(connection.id.rawValue) domain \(connection.holder.domain.rawValue): "
                    + "\(entry.id.rawValue), \(transaction.touches.count) nodes, "
                    + "\(transaction.memory) bytes"
            }
        }
    }

    // MARK: - Text

    static func table(
        _ row: (QuotaName) -> (name: QuotaName, value: Int, explanation: String)?
    ) -> String {
        QuotaName.allCases.compactMap(row).map { row in
            padded(row.name.rawValue, to: 17) + ": " + padded(row.value, to: 8)
                + (row.explanation.isEmpty ? "" : " " + row.explanation) + "\n"
        }.joined()
    }

    static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(width - text.utf8.count, 0))
    }

    static func padded(_ number: Int, to width: Int) -> String {
        let text = String(number)
        return String(repeating: " ", count: max(width - text.utf8.count, 0)) + text
    }

    static func terminated(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

    /// Lines as many as one reply takes, and where to go on.
    static func listing(_ what: String, _ lines: [String], from first: Int) -> [UInt8] {
        var text = "\(lines.count) \(what)\n"
        for (index, line) in lines.enumerated().dropFirst(first) {
            guard text.utf8.count + line.utf8.count + 40 < Packet.payloadByteCountLimit else {
                text += "go on from \(index)\n"
                break
            }
            text += line + "\n"
        }
        return terminated(text)
    }
}
