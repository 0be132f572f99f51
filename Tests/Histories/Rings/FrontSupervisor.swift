import XenCore
import XenMock
import XenTesting

/// The toolstack's work for one front: starts it, starts it again when it has died, and kills the hostile.
final class FrontSupervisor {
    private let simulation: Simulation
    private let hypervisor: FaultyHypervisor
    private let domain: DomainID
    private let meeting: Meeting
    private let user: RingUser
    private let makeFront: (MockProcess) -> RingFront

    private var front: RingFront?
    private var hostile: MockProcess?
    private var nextStart: ContinuousClock.Instant
    private var endOfHostility: ContinuousClock.Instant

    init(
        _ simulation: Simulation, _ hypervisor: FaultyHypervisor, domain: DomainID,
        meeting: Meeting, user: RingUser, makeFront: @escaping (MockProcess) -> RingFront
    ) {
        self.simulation = simulation
        self.hypervisor = hypervisor
        self.domain = domain
        self.meeting = meeting
        self.user = user
        self.makeFront = makeFront
        nextStart = simulation.now
        endOfHostility = simulation.now
    }

    /// Whether nobody plays the front's part.
    var isIdle: Bool { front == nil && hostile == nil }

    func look(_ now: ContinuousClock.Instant) throws {
        if let old = hostile, !old.isAlive || now >= endOfHostility || hypervisor.isCalm {
            old.kill()
            hostile = nil
        }
        if let old = front, old.hasEnded {
            try user.abandon(old.unanswered)
            front = nil
            nextStart = now + .milliseconds(simulation.choices.number("restart", in: 0..<60))
        }
        if isIdle, !meeting.isClosing, now >= nextStart { start(now) }
    }

    private func start(_ now: ContinuousClock.Instant) {
        // A domain that was destroyed comes again with the same number.
        let process = hypervisor.mock.domain(domain).startProcess(name: "front")
        if !hypervisor.isCalm, simulation.choices.happens("hostileFront", 0.1) {
            hostile = process
            endOfHostility = now + .milliseconds(simulation.choices.number("spree", in: 1..<200))
            let party = HostileFront(process, meeting: meeting, choices: simulation.choices)
            simulation.add("hostile front of \(domain)", step: party.step)
        } else {
            let new = makeFront(process)
            front = new
            simulation.add(
                "front \(new.life) of \(domain)", isRung: { new.isRung }, step: new.step)
        }
    }
}
