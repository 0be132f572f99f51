import Synchronization

/// What was compared, over many histories.
final class DifferentialTotals: Sendable {
    private let state = Mutex((steps: 0, differences: [String: Int]()))

    var steps: Int { state.withLock { $0.steps } }

    /// How often each difference was met, by its reason.
    var differences: [String: Int] { state.withLock { $0.differences } }

    func count() { state.withLock { $0.steps += 1 } }

    func count(_ difference: StoreDifference) {
        state.withLock { $0.differences[difference.reason, default: 0] += 1 }
    }
}
