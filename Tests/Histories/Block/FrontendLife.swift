import BlockDevice
import XenBus
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenTesting

/// One life of a block frontend's program: the shipped core and the shipped machine, without their threads.
///
/// It is two parties, as the shipped frontend is two threads: a driver, which does the handshake, and an
/// engine, which takes answers.
final class FrontendLife {
    let number: Int
    let process: MockProcess
    let session: StoreSession
    private unowned let stage: BlockStage
    private let nodes: SimulatedDevice.End
    /// Nil for a frontend that nobody uses, since it is hostile.
    private let user: BlockUser?
    private(set) var core: FrontendCore

    private var machine = FrontendMachine()
    private var actions: ArraySlice<FrontendMachine.Action> = []
    private var agenda: DriverAgenda
    private var isFinished = false
    /// Whether nothing is left of it.
    private(set) var hasEnded = false

    private static let backendKeys = ["sectors", "sector-size", "info"]

    init(_ process: MockProcess, number: Int, stage: BlockStage, user: BlockUser?) {
        self.process = process
        self.number = number
        self.stage = stage
        self.user = user
        session = stage.store.connect(as: process.domain.id)
        nodes = stage.device.frontend(session)
        core = FrontendCore(
            grants: GrantTable(process.grants), events: EventChannels(process.events))
        agenda = DriverAgenda(session, now: stage.simulation.now)
    }

    func addParties() {
        stage.simulation.add(
            "frontend \(number), driver",
            isRung: { [unowned self] in
                !process.isAlive
                    || agenda.isRung(
                        at: stage.simulation.now, hasActions: !actions.isEmpty,
                        wantsClose: stage.isClosing)
            },
            step: { [self] now in try process.whileAlive { try drive(now) } })
        stage.simulation.add(
            "frontend \(number), engine",
            isRung: { [unowned self] in
                !process.isAlive || process.hasPendingEvent || isFinished && !hasEnded
            },
            step: { [self] now in try process.whileAlive { try serve(now) } })
    }

    // MARK: The engine

    private func serve(_ now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        if hasEnded { return nil }
        let events = EventChannels(process.events)
        while let event = try events.wait(until: .now) { try event.unmask() }
        if isFinished {
            core.close(now: now).deliver()
            try user?.takeEndings(of: self)
            hasEnded = core.pageCountInUse == 0
            return hasEnded ? nil : now + .milliseconds(50)
        }
        core.service(now: now).deliver()
        try user?.takeEndings(of: self)
        try user?.submit(to: self, now)
        let look =
            now + (stage.flaw == .neverLooksAgain ? .seconds(3600) : FrontendCore.lookPeriod)
        return min(look, user?.nextDue.map { max($0, now + .milliseconds(1)) } ?? look)
    }

    func submit(_ request: PendingRequest) { core.submit(request).deliver() }
    func cancel(_ serial: UInt64) { core.cancel(serial).deliver() }

    // MARK: The driver

    private func drive(_ now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        if isFinished { return nil }
        let item = agenda.next(
            at: now, hasActions: !actions.isEmpty, epoch: machine.epoch,
            wantsClose: stage.isClosing)
        switch item {
        case .begin:
            try nodes.write(state: .initialising)
            try nodes.watchBoth()
        case .act: if let action = actions.popFirst() { try perform(action, now) }
        case .failed: actions = machine.handle(.lost)[...]
        case .close: actions = machine.handle(.close)[...]
        case .closeExpired: actions = machine.handle(.closeExpired)[...]
        case .look:
            actions = machine.handle(.own(try nodes.ownState()))[...]
            if actions.isEmpty { actions = machine.handle(try observation())[...] }
        case .nothing: break
        }
        return agenda.wake(after: now, hasActions: !actions.isEmpty)
    }

    private func observation() throws -> FrontendMachine.Input {
        let online = try session.read("online", of: nodes.peer)
        return .backend(try nodes.peerState(), isOnline: online != "0")
    }

    private func perform(
        _ action: FrontendMachine.Action, _ now: ContinuousClock.Instant
    ) throws {
        stage.simulation.note("frontend \(number): \(action)")
        do {
            switch action {
            case .publish(let epoch): try publish(epoch, now)
            case .connect(let epoch):
                try core.connect(epoch, published: nodes.published(Self.backendKeys)) {
                    [reports = agenda.reports] _ in reports.fail(epoch)
                }
            case .retire: core.retire(now: now)
            case .relocate: try nodes.write(state: .initialising)
            case .setState(let state): try nodes.write(state: state)
            // No domain is saved and restored here.
            case .resume: break
            case .finish: isFinished = true
            }
        } catch  where process.isAlive {
            actions = []
            agenda.reports.fail(machine.epoch)
        }
    }

    private func publish(_ epoch: Epoch, _ now: ContinuousClock.Instant) throws {
        let values = try core.prepare(epoch, for: .dom0, now: now)
        guard process.isAlive else { return }
        stage.hasPublished(values, epoch, by: self)
        // As the driver does it, in one transaction with the look at the backend's state.
        guard try nodes.peerState() == .initWait else {
            actions = machine.handle(.lost)[...]
            session.hasEvent = true
            return
        }
        try nodes.write(values, state: .initialised)
    }
}
