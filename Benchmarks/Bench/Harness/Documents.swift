import Foundation

/// The page of results: `benchmarks.md`, its charts and `benchmarks/results.json`.
struct Documents {
    let folder: String

    private static let begin = "<!-- results: written by make bench DOCS=1 -->"
    private static let end = "<!-- end of results -->"

    /// Takes newly measured rows in and writes everything anew.
    func update(with measured: Results, order names: [String]) throws {
        let path = folder + "/benchmarks/results.json"
        var results = try Results(contentsOf: path)
        for row in measured.rows { results.add(row, order: names) }
        try results.save(to: path)
        for row in results.rows {
            for (name, _, svg) in charts(of: row) {
                try writeFile(Data(svg.utf8), to: folder + "/benchmarks/" + name)
            }
        }
        try replaceSection(with: results.rows.map(section).joined(separator: "\n"))
    }

    /// By file name: one chart for each unit.
    private func charts(of row: RowResult) -> [(name: String, unit: String, svg: String)] {
        var units: [String] = []
        for result in row.cases where !units.contains(result.unit) { units.append(result.unit) }
        return units.enumerated().map { number, unit in
            (
                row.name + (number == 0 ? "" : "-\(number + 1)") + ".svg", unit,
                LineChart(row, unit: unit)?.svg ?? Chart(row, unit: unit).svg
            )
        }
    }

    private func section(of row: RowResult) -> String {
        let pictures = charts(of: row).map { name, unit, _ in
            "![\(row.name): \(unit)](benchmarks/\(name))"
        }
        return """
            ### \(row.name)

            \(row.summary.prefix(1).uppercased() + row.summary.dropFirst()).

            \(pictures.joined(separator: "\n"))

            \(Table.head)
            \(Table.lines(of: row))

            `\(row.command)` on \(row.machine.description); \(Int(row.seconds)) s.

            """
    }

    private func replaceSection(with text: String) throws {
        let path = folder + "/benchmarks.md"
        let page = try String(contentsOfFile: path, encoding: .utf8)
        guard let begin = page.range(of: Self.begin), let end = page.range(of: Self.end),
            begin.upperBound <= end.lowerBound
        else { throw UsageError(description: "\(path) has no place for results: \(Self.begin)") }
        let new =
            page[..<begin.upperBound] + "\n\n" + text + "\n" + page[end.lowerBound...]
        try writeFile(Data(new.utf8), to: path)
    }
}
