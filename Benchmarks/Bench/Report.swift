import Foundation

/// Shows rows as a Markdown table while they come, and writes all of them at the end.
struct Report {
    private var rows: [Row] = []

    private static let columns = [
        ("row", 10), ("case", 9), ("unit", 10), ("ours", 8), ("peer", 11), ("peer's", 8),
        ("ratio (range)", 18), ("bar", 4), ("met", 4), ("allocations/request", 19),
    ]

    func begin() {
        show(Self.columns.map(\.0))
        write("|" + Self.columns.map { String(repeating: "-", count: $0.1 + 2) + "|" }.joined())
    }

    mutating func add(_ row: Row) {
        rows.append(row)
        let range = [row.ratio, row.lowestRatio, row.highestRatio].map { number($0) }
        show([
            row.name, row.case, row.unit, number(row.ours), row.peer, number(row.peerValue),
            row.ratio == nil ? "-" : "\(range[0]) (\(range[1])-\(range[2]))", number(row.bar),
            row.met.map { $0 ? "yes" : "no" } ?? "-", number(row.allocationsPerRequest, digits: 6),
        ])
    }

    func save(to path: String) throws {
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(rows).write(to: url, options: .atomic)
        write("\nwritten to \(path)")
    }

    private func show(_ cells: [String]) {
        let padded = zip(cells, Self.columns).map { cell, column in
            cell + String(repeating: " ", count: max(0, column.1 - cell.count))
        }
        write("| " + padded.joined(separator: " | ") + " |")
    }

    /// Line by line, also into a pipe.
    func write(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    private func number(_ value: Double?, digits: Int = 2) -> String {
        value.map { String(format: "%.\(digits)f", $0) } ?? "-"
    }
}
