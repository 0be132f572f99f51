import Testing
import XenBus

@Suite("The device handshake, in every order of steps")
struct HandshakeExplorationTests {
    /// Every reachable state that has no next step, and how many states there were.
    func explore(
        mishaps: Int, without omission: HandshakeModel.Omission? = nil
    ) -> (states: Int, ends: Set<HandshakeModel>) {
        var seen: Set<HandshakeModel> = [
            HandshakeModel(mishapsLeft: mishaps, omission: omission)
        ]
        var open = Array(seen)
        var ends: Set<HandshakeModel> = []
        while let state = open.popLast() {
            let next =
                state.fault == nil ? HandshakeModel.Step.allCases.compactMap(state.after) : []
            if next.allSatisfy({ $0.mishapsLeft < state.mishapsLeft }) { ends.insert(state) }
            for state in next where seen.insert(state).inserted { open.append(state) }
        }
        return (seen.count, ends)
    }

    @Test(
        "ends connected to the same rings, whoever restarts, fails, is restored or made anew, and whenever",
        arguments: 0...3)
    func endsConnected(mishaps: Int) {
        let (states, ends) = explore(mishaps: mishaps)
        #expect(!ends.isEmpty)
        let stuck = ends.first { $0.fault != nil || !$0.isConnected }
        #expect(stuck == nil)
        #expect(states > 10 * (mishaps + 1), "only \(states) states were explored")
    }

    @Test(
        "finds the fault when one of the drivers' conditions is left out",
        arguments: HandshakeModel.Omission.allCases)
    func findsOmissions(omission: HandshakeModel.Omission) {
        let ends = explore(mishaps: 2, without: omission).ends
        #expect(ends.contains { $0.fault != nil || !$0.isConnected })
    }
}
