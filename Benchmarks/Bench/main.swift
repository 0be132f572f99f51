import Foundation

/// In the table's order.
func allRows() -> [Row] {
    [
        .singleThread,
        .spinning,
        .roundTrip,
        .notifications,
        .xenstoreRing,
        .manyRings,
        .asyncTax,
        .storeSerial,
        .storePipelined,
        .storeCrowd,
        .storeNodes,
        .storeConnections,
        .storeWatches,
        .storeTransactions,
        .storeClients,
        .storeEvents,
    ]
}

/// The other ends that a process of their own can be asked to play.
func allParts() -> [Part] {
    var parts: [Part] = [.spinningBack, .answers, .pipeAnswers, .eventfdAnswers]
    #if LibXen
        parts += [.spinningTwin, .answersTwin]
    #endif
    return parts
}

/// Measures ours beside its peers in one run.
///
/// Results go to standard output and `.build/bench`. The exit status says whether the measuring worked, not who was
/// faster.
func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    if arguments.first == "--play" {
        return try playAsked(arguments.dropFirst(), among: allParts())
    }
    if arguments.first == "--serve" { return try serveAsked(arguments.dropFirst()) }
    if arguments.first == "--ask" { return try askAsked(arguments.dropFirst()) }
    let options = try Options(arguments, ProcessInfo.processInfo.environment)
    let names = allRows().map(\.name)
    if options.drawsOnly {
        try options.documents?.update(with: Results(), order: names)
        return
    }
    let chosen = try options.pick(allRows())
    warnOfPoorBuilds()
    let machine = try Machine.present()
    show(machine.description + "\n")
    show(Table.head)
    var results = Results()
    for row in chosen {
        results.add(try measure(row, on: machine, options), order: names)
    }
    try results.save(to: ".build/bench/results.json")
    try options.documents?.update(with: results, order: names)
}

func measure(_ row: Row, on machine: Machine, _ options: Options) throws -> RowResult {
    let start = ContinuousClock.now
    let contests = try row.contests().filter { !(options.isBrief && $0.isLong) }
    let cases = try contests.map { contest in
        let result = CaseResult(contest, try contest.measure(options.effort))
        show(Table.lines(of: result, in: row.name))
        return result
    }
    return RowResult(
        name: row.name, summary: row.summary, machine: machine, command: options.command,
        seconds: (start.duration(to: .now) / .seconds(1)).rounded(), cases: cases)
}

func warnOfPoorBuilds() {
    #if DEBUG
        show("This is a debug build, whose figures mean nothing: swift run -c release xen-bench\n")
    #endif
    #if !LibXen
        show("C's rings are not built in: install libxen-dev and build with the trait LibXen.\n")
    #endif
}

/// Line by line, also into a pipe.
func show(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

do {
    try main()
} catch {
    FileHandle.standardError.write(Data("xen-bench: \(error)\n".utf8))
    exit(1)
}
