/// A row of the benchmarks: a workload, in one or more cases.
///
/// A new one is a file in `Rows` with an `extension Row`, and a line in `main.swift`.
struct Row {
    /// As `ROWS=name` picks it.
    let name: String
    /// The workload, in a line of the docs.
    let summary: String
    /// Made when the row is measured.
    let contests: () throws -> [Contest]
}
