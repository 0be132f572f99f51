import XenMock
import XenTesting

/// The mock hypervisor as a stage: its faults are the history's choices, and its delayed notifications arrive.
final class FaultyHypervisor {
    let mock = MockHypervisor()
    /// No more faults happen, and nobody may be hostile or hang.
    private(set) var isCalm = false

    init(_ simulation: Simulation) {
        let choices = simulation.choices
        mock.inject(.chosen(by: choices)) { fault, probability in
            choices.happens(fault.rawValue, probability)
        }
        simulation.add("delayed notifications") { [unowned self] now in
            guard !isCalm else { return nil }
            mock.deliverDelayed(1)
            return now + .microseconds(choices.number("delay", in: 100..<20_000))
        }
    }

    func calm() {
        isCalm = true
        mock.stopFaults()
    }

    /// The end of every history.
    func expectCleanedUp() throws(SimulationFailure) {
        do {
            try mock.assertCleanedUp()
        } catch {
            throw SimulationFailure("nothing leaks", "\(error)")
        }
    }
}
