import Foundation

/// Results as lines of a Markdown table: for each case one line a peer.
struct Table {
    private static let columns = [
        ("row", 11), ("case", 24), ("unit", 10), ("ours", 9), ("beside", 20), ("takes", 9),
        ("ours / that (range)", 21), ("bar", 5), ("met", 3), ("note", 4),
    ]

    static var head: String {
        line(columns.map(\.0)) + "\n"
            + "|" + columns.map { String(repeating: "-", count: $0.1 + 2) + "|" }.joined()
    }

    static func lines(of result: CaseResult, in row: String) -> String {
        let start = [row, result.name, result.unit, number(result.ours)]
        let note = note(result)
        guard !result.peers.isEmpty else {
            return line(start + ["nothing", "", "", "", "", note])
        }
        return result.peers.map { peer in
            line(
                start + [
                    peer.name, number(peer.value), ratio(peer), peer.bar.map(ratio) ?? "",
                    peer.isMet.map { $0 ? "yes" : "no" } ?? "", note,
                ])
        }.joined(separator: "\n")
    }

    private static func note(_ result: CaseResult) -> String {
        var notes: [String] = []
        if result.isSpoiled {
            notes.append("spoiled: others took \(number(result.otherLoad)) processors")
        }
        if let count = result.allocationsPerItem, count > 0.01 {
            notes.append("\(number(count)) allocations each")
        }
        notes += [result.remark].compactMap(\.self)
        return notes.joined(separator: "; ")
    }

    static func lines(of row: RowResult) -> String {
        row.cases.map { lines(of: $0, in: row.name) }.joined(separator: "\n")
    }

    private static func line(_ cells: [String]) -> String {
        let padded = zip(cells, columns).map { cell, column in
            cell + String(repeating: " ", count: max(0, column.1 - cell.count))
        }
        return "| " + padded.joined(separator: " | ") + " |"
    }

    private static func ratio(_ peer: PeerResult) -> String {
        guard let middle = peer.ratio, let low = peer.lowestRatio, let high = peer.highestRatio
        else { return "" }
        return low == high ? ratio(middle) : "\(ratio(middle)) (\(ratio(low))-\(ratio(high)))"
    }

    /// Small ones in thousandths, since many bars are near 1.
    private static func ratio(_ value: Double) -> String {
        String(format: value < 2 ? "%.3f" : "%.2f", value)
    }

    private static func number(_ value: Double?) -> String {
        guard let value else { return "" }
        return String(format: value < 10 ? "%.2f" : value < 1000 ? "%.1f" : "%.0f", value)
    }
}
