import Foundation

/// Measures our rings beside C's in one run: `swift run -c release xen-bench [--quick]`.
///
/// `ROWS=name,name` picks rows. Results go to standard output and `.build/bench/results.json`.
/// The exit status says whether the measuring worked, not who was faster.
func main() throws {
    var report = Report()
    #if DEBUG
        report.write(
            "This is a debug build, whose figures mean nothing: swift run -c release xen-bench\n")
    #endif
    #if !LibXen
        report.write(
            "The C twin is not built in: install libxen-dev and build with the trait LibXen.\n")
    #endif
    let contests = try pick(singleThreadContests() + spinningContests())
    let effort: Effort = CommandLine.arguments.contains("--quick") ? .quick : .full
    report.write("\(ProcessInfo.processInfo.activeProcessorCount) processors, \(loadAverage())\n")
    report.begin()
    for contest in contests {
        report.add(Row(contest, try contest.measure(effort)))
    }
    try report.save(to: ".build/bench/results.json")
}

/// Other work beside a benchmark shows in the range of its ratios.
func loadAverage() -> String {
    var averages = [0.0]
    // Safe: one private number, as getloadavg(3) is told.
    guard unsafe getloadavg(&averages, 1) == 1 else { return "load average unknown" }
    return "load average " + String(format: "%.2f", averages[0])
}

func pick(_ contests: [Contest]) throws -> [Contest] {
    guard let wanted = ProcessInfo.processInfo.environment["ROWS"], !wanted.isEmpty else {
        return contests
    }
    let names = wanted.split(separator: ",").map(String.init)
    let known = Set(contests.map(\.name))
    for name in names where !known.contains(name) { throw UnknownRow(name: name, known: known) }
    return contests.filter { names.contains($0.name) }
}

struct UnknownRow: Error, CustomStringConvertible {
    let name: String
    let known: Set<String>
    var description: String {
        "ROWS names no row \"\(name)\": the rows are \(known.sorted().joined(separator: ", "))"
    }
}

do {
    try main()
} catch {
    FileHandle.standardError.write(Data("xen-bench: \(error)\n".utf8))
    exit(1)
}
