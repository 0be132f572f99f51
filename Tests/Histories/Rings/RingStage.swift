import XenCore
import XenMock
package import XenTesting

/// One front and one back, and the toolstack that starts them, replaces what hangs, and kills the hostile.
final class RingStage {
    private let simulation: Simulation
    private let hypervisor: FaultyHypervisor
    private let ledger = RequestLedger()
    private let meeting = Meeting()
    private let user: RingUser
    private let front: FrontSupervisor
    private let backFlaw: RingBack.Flaw?

    private var back: RingBack?
    private var replaced: [RingBack] = []
    private var nextBack: ContinuousClock.Instant
    private var endOfHostility: ContinuousClock.Instant

    init(_ simulation: Simulation, _ frontFlaw: RingFront.Flaw?, _ backFlaw: RingBack.Flaw?) {
        self.simulation = simulation
        self.backFlaw = backFlaw
        hypervisor = FaultyHypervisor(simulation)
        let user = RingUser(
            simulation, ledger, requestCount: simulation.choices.number("requests", in: 5..<100))
        self.user = user
        front = FrontSupervisor(
            simulation, hypervisor, domain: DomainID(3), meeting: meeting, user: user
        ) { [meeting] process in
            RingFront(process, meeting: meeting, user: user, flaw: frontFlaw)
        }
        nextBack = simulation.now
        endOfHostility = simulation.now
    }

    func play() throws {
        simulation.add("toolstack") { [unowned self] now in
            try front.look(now)
            lookAfterBack(now)
            return now + .milliseconds(10)
        }
        try simulation.run(for: .milliseconds(simulation.choices.number("storm", in: 200..<2000)))
        simulation.note("the faults stop")
        hypervisor.calm()
        for back in replaced + [back].compactMap({ $0 }) { back.wakeUp() }
        try simulation.run(
            until: { user.nextDue == nil && ledger.openCount == 0 }, within: .seconds(10),
            "once faults stop, every request ends within 10 s")
        simulation.note("all close; \(user.staleCount) stale answers")
        meeting.close()
        try simulation.run(
            until: { front.isIdle && back == nil && replaced.isEmpty }, within: .seconds(5),
            "once faults stop, both ends close within 5 s")
        try ledger.expectAllEnded()
        try hypervisor.expectCleanedUp()
    }

    private func lookAfterBack(_ now: ContinuousClock.Instant) {
        replaced.removeAll { $0.hasEnded }
        if let old = back {
            if old.isHostile, now >= endOfHostility || hypervisor.isCalm { old.process.kill() }
            if old.hasEnded || old.hungUntil != nil {
                if !old.hasEnded { replaced.append(old) }
                back = nil
                nextBack = now + .milliseconds(simulation.choices.number("restart", in: 0..<60))
            }
        }
        if back == nil, !meeting.isClosing, now >= nextBack { startBack(now) }
    }

    private func startBack(_ now: ContinuousClock.Instant) {
        let isHostile = !hypervisor.isCalm && simulation.choices.happens("hostileBack", 0.15)
        endOfHostility = now + .milliseconds(simulation.choices.number("spree", in: 1..<200))
        let process = hypervisor.mock.domain(.dom0).startProcess(name: "back")
        let new = RingBack(
            process, meeting: meeting, user: user, simulation: simulation,
            isHostile: isHostile, flaw: backFlaw)
        back = new
        simulation.add("back \(new.life)", isRung: { new.isRung }, step: new.step)
    }
}

extension SimulatedHistory {
    /// A front and a back over one ring, with shadow copies and epochs.
    ///
    /// - Parameters: a rule that one of them forgets.
    package static func ring(
        frontFlaw: RingFront.Flaw? = nil, backFlaw: RingBack.Flaw? = nil
    ) -> SimulatedHistory {
        SimulatedHistory("ring") { simulation in
            try RingStage(simulation, frontFlaw, backFlaw).play()
        }
    }
}
