import ArgumentParser
import Histories
import XenSystem
import XenTesting

/// Plays simulated histories by seed.
@main
struct XenSim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xen-sim",
        abstract: "Plays simulated histories with all faults on, and shrinks what fails.",
        discussion: """
            A history is one seed: the same faults, the same order of steps, the same trace. The status is 0 if \
            every history kept all promises, 1 if one broke one.
            """)

    @Option(help: "How many histories to play.")
    var seeds: UInt64 = 1000

    @Option(help: "The first one's seed.")
    var first: UInt64 = 0

    @Option(help: "Play histories of this kind alone: ring, scheduler, block, store.")
    var kind: String?

    @Option(help: "Play this one alone, and show its trace.")
    var seed: UInt64?

    @Option(help: "With --seed: what may happen in it, as a failure lists it.")
    var only: String?

    func run() throws {
        guard !Histories.named(kind).isEmpty else {
            throw ValidationError(
                "there are no histories of kind '\(kind ?? "")': \(Histories.all.map(\.name))")
        }
        if let seed { return try replay(seed) }
        try playAll()
    }

    private func replay(_ seed: UInt64) throws {
        var choices: Set<HistoryChoice>?
        if let only {
            choices = Set(
                try only.split(separator: ",").map { text in
                    guard let choice = HistoryChoice(String(text)) else {
                        throw ValidationError("'\(text)' in --only is not like lost.17")
                    }
                    return choice
                })
        }
        let outcome = Histories.history(of: seed, among: Histories.named(kind))
            .run(seed: seed, only: choices, isTraced: true)
        for line in outcome.trace { Terminal.output.line(line) }
        if outcome.failure != nil { throw ExitCode.failure }
    }

    private func playAll() throws {
        let run = ManyHistories(of: Histories.named(kind), first: first, count: seeds)
        let failed = try run.play()
        Terminal.output.line(run.summary)
        guard let failed else { return }
        Terminal.error.line(
            """
            xen-sim: \(failed)
            play it again: xen-sim \(kind.map { "--kind \($0) " } ?? "")--seed \(failed.seed) \
            --only \(failed.only.map { "\($0)" }.joined(separator: ","))
            """)
        throw ExitCode.failure
    }
}
