import Testing
import XenCore
import XenEvtchn

/// How long to spin: tables first, then what holds whatever happens.
@Suite struct SpinPolicyTests {
    enum Happening: Sendable {
        case vain, found(Int), slept, woke(Int), processors(Int)
    }

    struct Line: CustomTestStringConvertible, Sendable {
        let name: String
        var processorCount = 2
        var longest = 50
        var happenings: [Happening] = []
        /// In microseconds.
        let budget: Int
        var testDescription: String { name }
    }

    /// A sleep costs 20 microseconds to begin with. A vain spin lasts as long as its budget.
    static let lines = [
        Line(name: "at first, as long as a sleep costs", budget: 20),
        Line(name: "on one processor, never", processorCount: 1, budget: 0),
        Line(name: "no longer than allowed", longest: 5, budget: 5),
        Line(name: "where it is forbidden, never", longest: 0, budget: 0),
        Line(name: "after one vain spin the account is empty", happenings: [.vain], budget: 0),
        Line(
            name: "seven sleeps do not fill half of it",
            happenings: [.vain] + [Happening](repeating: .slept, count: 7), budget: 0),
        Line(
            name: "eight sleeps do, for half a spin",
            happenings: [.vain] + [Happening](repeating: .slept, count: 8), budget: 10),
        Line(
            name: "a find pays for the next vain spin",
            happenings: [.found(0), .vain], budget: 20),
        Line(
            name: "a late find saves less",
            happenings: [.found(15), .vain], budget: 0),
        Line(
            name: "finds are remembered up to four",
            happenings: [Happening](repeating: .found(0), count: 100)
                + [Happening](repeating: .vain, count: 4), budget: 0),
        Line(
            name: "three vain spins after many finds leave one",
            happenings: [Happening](repeating: .found(0), count: 100)
                + [Happening](repeating: .vain, count: 3), budget: 20),
        Line(name: "a cheap wake makes spins short at once", happenings: [.woke(4)], budget: 4),
        Line(
            name: "a dear wake makes them longer slowly",
            happenings: [.found(0), .woke(100)], budget: 30),
        Line(name: "a clock that stood still is not believed", happenings: [.woke(0)], budget: 1),
        Line(
            name: "bound to one processor later, never",
            happenings: [.processors(1)], budget: 0),
        Line(
            name: "and free again",
            happenings: [.processors(1), .processors(2)], budget: 20),
    ]

    @Test(arguments: lines) func table(_ line: Line) {
        var policy = SpinPolicy(
            processorCount: line.processorCount, longest: .microseconds(line.longest),
            wakeCost: .microseconds(20))
        for happening in line.happenings { apply(happening, to: &policy) }
        #expect(policy.budget == .microseconds(line.budget))
    }

    private func apply(_ happening: Happening, to policy: inout SpinPolicy) {
        switch happening {
        case .vain: policy.spun(for: policy.budget, foundWork: false)
        case .found(let microseconds):
            policy.spun(for: .microseconds(microseconds), foundWork: true)
        case .slept: policy.slept()
        case .woke(let microseconds): policy.woke(after: .microseconds(microseconds))
        case .processors(let count): policy.processors(count)
        }
    }

    /// Whatever the peers do: what was spun in vain is no more than the sleeps that spinning saved, a sixteenth
    /// of those that were slept, and one to begin with.
    @Test(arguments: UInt64(0)..<100) func spinningNeverCostsMoreThanItSaves(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let cost = Duration.microseconds(20)
        var policy = SpinPolicy(processorCount: 2, longest: .microseconds(50), wakeCost: cost)
        var (spun, saved, slept) = (Duration.zero, Duration.zero, Duration.zero)
        let luck = random.next() % 101
        for _ in 0..<1000 {
            let budget = policy.budget
            let isLucky = budget > .zero && random.next() % 100 < luck
            // A thread looks at the clock after it looked around, so it can overrun by a little.
            let duration = isLucky ? budget * Int(random.next() % 100) / 100 : budget
            if budget > .zero { policy.spun(for: duration, foundWork: isLucky) }
            if isLucky {
                saved += cost - duration
            } else {
                spun += duration
                policy.slept()
                slept += cost
            }
            guard budget <= cost, spun <= saved + slept / 16 + cost else {
                Issue.record("seed \(seed): spun \(spun), saved \(saved), slept \(slept)")
                return
            }
        }
    }

    @Test func allItEverDoesAllocatesNothing() {
        // A value of plain numbers: there is nothing in it that could.
        #expect(_isPOD(SpinPolicy.self))
    }
}
