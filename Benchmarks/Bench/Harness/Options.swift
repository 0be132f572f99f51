import Foundation

/// What was asked for: `xen-bench [--quick] [--docs FOLDER [--draw]]`, with rows picked by `ROWS=name,name`.
struct Options {
    var effort = Effort.full
    /// The documents to bring up to date with what was measured.
    var documents: Documents?
    /// Measure nothing, and only write the documents anew.
    var drawsOnly = false
    /// All where none is named.
    var rows: [String] = []

    init(_ arguments: ArraySlice<String>, _ environment: [String: String]) throws(UsageError) {
        var left = arguments
        while let argument = left.popFirst() {
            switch argument {
            case "--quick": effort = .quick
            case "--draw": drawsOnly = true
            case "--docs":
                guard let folder = left.popFirst() else {
                    throw UsageError(description: "--docs needs a folder")
                }
                documents = Documents(folder: folder)
            default:
                throw UsageError(
                    description:
                        "\"\(argument)\" is not understood: [--quick] [--docs FOLDER [--draw]]")
            }
        }
        rows = (environment["ROWS"] ?? "").split(separator: ",").map(String.init)
    }

    /// Whether less is measured than the docs show.
    var isBrief: Bool { effort.rounds != Effort.full.rounds }

    /// The command that measures this again.
    var command: String {
        (["make bench"] + (rows.isEmpty ? [] : ["ROWS=\(rows.joined(separator: ","))"])
            + (isBrief ? ["QUICK=1"] : [])).joined(separator: " ")
    }

    func pick(_ all: [Row]) throws(UsageError) -> [Row] {
        for name in rows where !all.contains(where: { $0.name == name }) {
            let known = all.map(\.name).joined(separator: ", ")
            throw UsageError(description: "ROWS names no row \"\(name)\": the rows are \(known)")
        }
        return rows.isEmpty ? all : all.filter { rows.contains($0.name) }
    }
}

struct UsageError: Error, CustomStringConvertible {
    let description: String
}
