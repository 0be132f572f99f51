import Synchronization
import XenCore

/// All that is random in a history.
///
/// Each decision depends on the seed, its kind and how many of its kind came before, and on nothing else: so a
/// history from which one fault is taken out keeps its other faults, and can be shrunk.
public final class HistoryChoices: Sendable {
    public let seed: UInt64
    /// What may happen; nil for everything.
    private let only: Set<HistoryChoice>?
    private let state = Mutex(State())

    private struct State {
        var counts: [String: Int] = [:]
        var taken: [HistoryChoice] = []
    }

    /// - Parameter only: what may happen; nil for everything.
    public init(seed: UInt64, only: Set<HistoryChoice>? = nil) {
        self.seed = seed
        self.only = only
    }

    /// What has happened, in order.
    public var taken: [HistoryChoice] { state.withLock { $0.taken } }

    /// Whether something happens that the history can do without: a fault, a step of the work.
    ///
    /// - Parameter probability: 0 for never, 1 for always (unless it is left out).
    public func happens(_ kind: String, _ probability: Double) -> Bool {
        let ordinal = next(kind)
        guard Double(bits(kind, ordinal) >> 11) < probability * 0x1p53 else { return false }
        let choice = HistoryChoice(kind: kind, ordinal: ordinal)
        if let only, !only.contains(choice) { return false }
        state.withLock { $0.taken.append(choice) }
        return true
    }

    /// A number that the history cannot do without: who comes next, how long something takes.
    public func number(_ kind: String, in range: Range<Int>) -> Int {
        precondition(!range.isEmpty, "there is a number to choose")
        let value = bits(kind, next(kind))
        return range.lowerBound + Int(value.multipliedFullWidth(by: UInt64(range.count)).high)
    }

    private func next(_ kind: String) -> Int {
        state.withLock { state in
            defer { state.counts[kind, default: 0] += 1 }
            return state.counts[kind, default: 0]
        }
    }

    /// FNV-1a over the kind, mixed with the seed and then with the ordinal.
    private func bits(_ kind: String, _ ordinal: Int) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in kind.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return SplitMix.mix(SplitMix.mix(seed ^ hash) &+ UInt64(ordinal) &* SplitMix.step)
    }
}
