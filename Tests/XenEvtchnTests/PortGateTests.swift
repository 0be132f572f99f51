import Testing
import XenEvtchn

/// Every history of a gate, up to a length, beside a description of what its caller may rely on.
@Suite struct PortGateTests {
    enum Step: CaseIterable { case ring, deliver, mask, unmask, rearm }

    /// What a caller knows: does it hold an event, has it masked, and has the port rung since the last delivery?
    struct Expectation: Hashable {
        var holdsEvent = false
        var isMasked = false
        var hasRung = false

        /// - Returns: whether an event is delivered.
        mutating func take(_ step: Step) -> Bool {
            switch step {
            case .ring: hasRung = true
            case .deliver where hasRung && !holdsEvent && !isMasked:
                (hasRung, holdsEvent) = (false, true)
                return true
            case .deliver: break
            case .mask: isMasked = true
            case .unmask: (isMasked, holdsEvent) = (false, false)
            case .rearm: holdsEvent = false
            }
            return false
        }
    }

    @Test func everyHistoryOfSevenStepsDeliversWhatItShould() {
        var histories = 0
        func explore(_ gate: PortGate, _ expectation: Expectation, _ waiting: Bool, depth: Int) {
            histories += 1
            guard depth > 0 else { return }
            for step in Step.allCases {
                var (gate, expectation, waiting) = (gate, expectation, waiting)
                let wasDelivered = gate.isDelivered
                let wasPending = gate.isPending
                let expected = expectation.take(step)
                var change = PortGate.Change.nothing
                switch step {
                case .ring: change = gate.ring()
                case .deliver:
                    #expect(gate.deliver() == expected)
                    if expected { waiting = false }
                case .mask: change = gate.mask()
                case .unmask: change = gate.unmask()
                case .rearm: change = gate.rearm()
                }
                // A queue that follows the changes has the port exactly when the gate says that it waits.
                if change == .waits {
                    #expect(!waiting)
                    waiting = true
                }
                if change == .waitsNoMore {
                    #expect(waiting)
                    waiting = false
                }
                #expect(gate.isWaiting == waiting)
                #expect(
                    waiting
                        == (expectation.hasRung && !expectation.holdsEvent && !expectation.isMasked)
                )
                // A device beneath, which silences the port with each report, is asked to let it ring exactly
                // when the event that it reported is over and none is remembered.
                #expect((change == .mayRing) == (wasDelivered && !gate.isDelivered && !wasPending))
                explore(gate, expectation, waiting, depth: depth - 1)
            }
        }
        explore(PortGate(), Expectation(), false, depth: 7)
        #expect(histories == 97656)
    }

    @Test func recoveryNeitherForgetsNorDisturbs() {
        var idle = PortGate()
        #expect(idle.recover() == .mayRing)
        var waiting = PortGate()
        _ = waiting.ring()
        #expect(waiting.recover() == .nothing)
        #expect(waiting.isWaiting)
        var masked = PortGate()
        _ = masked.mask()
        #expect(masked.recover() == .nothing)
        #expect(masked.unmask() == .waits)
        var delivered = waiting
        #expect(delivered.deliver() == true)
        #expect(delivered.recover() == .nothing)
        #expect(delivered.rearm() == .mayRing)
    }
}
