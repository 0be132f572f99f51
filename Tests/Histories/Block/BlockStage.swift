import BlockDevice
import XenBus
import XenCore
import XenMock
package import XenTesting

/// A guest's block device: frontends, backends, the store between them, and the toolstack that starts them
/// again when they have died.
package final class BlockStage {
    /// A rule that a party forgets, to see that the checkers notice.
    package enum Flaw: CaseIterable, Sendable {
        /// The disk says that it has written, and has not.
        case losesWrites
        /// The frontend's engine does nothing but when it is rung.
        case neverLooksAgain
    }

    let flaw: Flaw?
    let simulation: Simulation
    let store = SimulatedStore()
    let device: SimulatedDevice
    let storage: ModelStorage
    private let hypervisor: FaultyHypervisor
    private let ledger = RequestLedger()
    private let toolstack: StoreSession
    private lazy var user = BlockUser(
        stage: self, ledger: ledger,
        requestCount: simulation.choices.number("requests", in: 5..<60))

    private var frontend: FrontendLife?
    private var backend: BackendLife?
    private var lifeCount = 0
    private var isAttached = false
    private var nextFrontend: ContinuousClock.Instant
    private var nextBackend: ContinuousClock.Instant
    private var (endOfFrontend, endOfBackend): (ContinuousClock.Instant?, ContinuousClock.Instant?)

    /// Both ends, or the backend, are to close.
    private(set) var (isClosing, isBackendClosing) = (false, false)

    /// A frontend's epoch.
    private struct Ring: Hashable {
        let life: Int
        let epoch: Epoch
    }
    private var rings: [String: Ring] = [:]
    private var tainted: Set<Ring> = []

    init(_ simulation: Simulation, _ flaw: Flaw?) throws {
        self.flaw = flaw
        self.simulation = simulation
        hypervisor = FaultyHypervisor(simulation)
        storage = ModelStorage(
            sectorCount: 64, choices: simulation.choices, losesWrites: flaw == .losesWrites)
        device = try SimulatedDevice(guest: DomainID(3))
        toolstack = store.connect(as: .dom0)
        (nextFrontend, nextBackend) = (simulation.now, simulation.now)
    }

    func play() throws {
        try attach()
        simulation.add("toolstack") { [unowned self] now in
            try lookAfterFrontend(now)
            lookAfterBackend(now)
            return now + .milliseconds(10)
        }
        let storm = simulation.choices.number("storm", in: 300..<3000)
        try simulation.run(for: .milliseconds(storm))
        simulation.note("the faults stop")
        hypervisor.calm()
        storage.calm()
        try simulation.run(
            until: { user.nextDue == nil && ledger.openCount == 0 }, within: .seconds(15),
            "once faults stop, every request ends within 15 s")
        simulation.note("the frontend closes")
        isClosing = true
        try simulation.run(
            until: { frontend == nil }, within: .seconds(10),
            "once faults stop, the frontend closes within 10 s")
        simulation.note("the backend closes")
        isBackendClosing = true
        try simulation.run(
            until: { backend == nil }, within: .seconds(10),
            "once faults stop, the backend closes within 10 s")
        try ledger.expectAllEnded()
        try hypervisor.expectCleanedUp()
    }

    // MARK: Lawless hands

    /// Whether somebody writes to the disk as he likes.
    var isLawless: Bool { endOfFrontend != nil || endOfBackend != nil }

    func hasPublished(_ nodes: [String: String], _ epoch: Epoch, by life: FrontendLife) {
        rings[Self.name(nodes)] = Ring(life: life.number, epoch: epoch)
    }

    /// A hostile backend has mapped this ring: anything may come out of it.
    func taint(_ nodes: [String: String]) {
        if let ring = rings[Self.name(nodes)] { tainted.insert(ring) }
    }

    /// Whether anything may come out of the ring of this frontend.
    func isTainted(_ life: FrontendLife) -> Bool {
        tainted.contains(Ring(life: life.number, epoch: life.core.statistics.epoch))
    }

    private static func name(_ nodes: [String: String]) -> String {
        "\(nodes["ring-ref"] ?? "") \(nodes["event-channel"] ?? "")"
    }

    private func spree(_ now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        user.allowAnything()
        return now + .milliseconds(simulation.choices.number("spree", in: 1..<500))
    }

    // MARK: The toolstack

    private func attach() throws {
        store.introduce(device.guest)
        try device.attach(by: toolstack)
        isAttached = true
    }

    private func lookAfterFrontend(_ now: ContinuousClock.Instant) throws {
        if let old = frontend {
            if let end = endOfFrontend, now >= end || hypervisor.isCalm { old.process.kill() }
            guard !old.process.isAlive || old.hasEnded else { return }
            simulation.note("frontend \(old.number) is gone")
            if endOfFrontend != nil { user.allowAnything() } else { try user.abandon() }
            endOfFrontend = nil
            old.session.close()
            frontend = nil
            nextFrontend = now + .milliseconds(simulation.choices.number("restart", in: 0..<60))
            if !old.process.domain.isAlive {
                store.release(device.guest)
                try device.detach(by: toolstack)
                isAttached = false
            }
        }
        // Also beside a backend that still serves the device of the same name before.
        if !isAttached { try attach() }
        if !isClosing, isAttached, now >= nextFrontend { startFrontend(now) }
    }

    private func startFrontend(_ now: ContinuousClock.Instant) {
        lifeCount += 1
        // A domain that was destroyed comes again with the same number.
        let process = hypervisor.mock.domain(device.guest).startProcess(name: "frontend")
        let isHostile = !hypervisor.isCalm && simulation.choices.happens("hostileFront", 0.1)
        let new = FrontendLife(
            process, number: lifeCount, stage: self, user: isHostile ? nil : user)
        frontend = new
        new.addParties()
        guard isHostile else { return }
        endOfFrontend = spree(now)
        simulation.add("hostile frontend") { [choices = simulation.choices] now in
            guard process.isAlive else { return nil }
            Scribbler(choices).scribble(process)
            return now + .microseconds(choices.number("hostilePause", in: 100..<20_000))
        }
    }

    private func lookAfterBackend(_ now: ContinuousClock.Instant) {
        if let old = backend {
            if let end = endOfBackend, now >= end || hypervisor.isCalm { old.process.kill() }
            guard !old.process.isAlive || old.hasEnded else { return }
            simulation.note("backend \(old.number) is gone")
            if endOfBackend != nil { user.allowAnything() }
            endOfBackend = nil
            old.bury()
            backend = nil
            nextBackend = now + .milliseconds(simulation.choices.number("restart", in: 0..<60))
        }
        guard !isBackendClosing, isAttached, now >= nextBackend else { return }
        lifeCount += 1
        let process = hypervisor.mock.domain(.dom0).startProcess(name: "backend")
        let isHostile = !hypervisor.isCalm && simulation.choices.happens("hostileBack", 0.1)
        let new = BackendLife(process, number: lifeCount, stage: self, isHostile: isHostile)
        backend = new
        new.addParties()
        if isHostile { endOfBackend = spree(now) }
    }
}

extension SimulatedHistory {
    /// The block example: its frontend's and its backend's cores and both machines of the handshake, over a store.
    ///
    /// - Parameter flaw: a rule that a party forgets.
    package static func block(flaw: BlockStage.Flaw? = nil) -> SimulatedHistory {
        SimulatedHistory("block") { simulation in try BlockStage(simulation, flaw).play() }
    }
}
