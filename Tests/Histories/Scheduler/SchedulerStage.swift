import XenCore
import XenMock
package import XenTesting

/// Several fronts in domains of their own and one back that serves them all as a `RingScheduler` says.
///
/// The fronts never ring again for what stays unanswered: an event of theirs that is lost is made up for by
/// the scheduler's checks alone.
final class SchedulerStage {
    private let simulation: Simulation
    private let hypervisor: FaultyHypervisor
    private let ledger = RequestLedger()
    private let meetings: [Meeting]
    private let users: [RingUser]
    private let fronts: [FrontSupervisor]
    private let flaw: ScheduledBack.Flaw?

    private var back: ScheduledBack?
    private var nextBack: ContinuousClock.Instant

    init(_ simulation: Simulation, _ flaw: ScheduledBack.Flaw?) {
        self.simulation = simulation
        self.flaw = flaw
        hypervisor = FaultyHypervisor(simulation)
        let choices = simulation.choices
        let count = choices.number("fronts", in: 2..<9)
        meetings = (0..<count).map { _ in Meeting() }
        users = (0..<count).map { [ledger] _ in
            RingUser(simulation, ledger, requestCount: choices.number("requests", in: 0..<30))
        }
        fronts = (0..<count).map { [hypervisor, meetings, users] place in
            FrontSupervisor(
                simulation, hypervisor, domain: DomainID(UInt16(10 + place)),
                meeting: meetings[place], user: users[place]
            ) { process in
                RingFront(
                    process, meeting: meetings[place], user: users[place],
                    lookPeriod: .seconds(1), nudgePeriod: nil)
            }
        }
        nextBack = simulation.now
    }

    func play() throws {
        simulation.add("toolstack") { [unowned self] now in
            for front in fronts { try front.look(now) }
            lookAfterBack(now)
            return now + .milliseconds(10)
        }
        try simulation.run(for: .milliseconds(simulation.choices.number("storm", in: 100..<1000)))
        simulation.note("the faults stop")
        hypervisor.calm()
        try simulation.run(
            until: { ledger.openCount == 0 && users.allSatisfy { $0.nextDue == nil } },
            within: .seconds(30), "once faults stop, every request ends within 30 s")
        simulation.note("all close")
        for meeting in meetings { meeting.close() }
        try simulation.run(
            until: { back == nil && fronts.allSatisfy(\.isIdle) }, within: .seconds(5),
            "once faults stop, both ends close within 5 s")
        try ledger.expectAllEnded()
        try hypervisor.expectCleanedUp()
    }

    private func lookAfterBack(_ now: ContinuousClock.Instant) {
        if back?.hasEnded == true {
            back = nil
            nextBack = now + .milliseconds(simulation.choices.number("restart", in: 0..<60))
        }
        guard back == nil, !meetings[0].isClosing, now >= nextBack else { return }
        let process = hypervisor.mock.domain(.dom0).startProcess(name: "back")
        let new = ScheduledBack(process, meetings: meetings, flaw: flaw, now: now)
        back = new
        simulation.add("back", isRung: { new.isRung }, step: new.step)
    }
}

extension SimulatedHistory {
    /// Many rings, one back with a `RingScheduler`.
    ///
    /// - Parameter flaw: a rule that the back forgets.
    package static func scheduler(flaw: ScheduledBack.Flaw? = nil) -> SimulatedHistory {
        SimulatedHistory("scheduler") { simulation in
            try SchedulerStage(simulation, flaw).play()
        }
    }
}
