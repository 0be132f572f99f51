import BlockDevice
import XenBus
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenTesting

/// One life of a block backend's program: the shipped service and the shipped machine, without their threads.
final class BackendLife {
    let number: Int
    let process: MockProcess
    let isHostile: Bool
    let session: StoreSession
    private unowned let stage: BlockStage
    private let nodes: SimulatedDevice.End
    private var service: BlockService?

    private var machine = BackendMachine()
    private var actions: ArraySlice<BackendMachine.Action> = []
    private var agenda: DriverAgenda
    /// Whether nothing is left of it.
    private(set) var hasEnded = false

    private static let frontendKeys = [
        "ring-ref", "event-channel", "protocol", "feature-persistent",
    ]

    init(_ process: MockProcess, number: Int, stage: BlockStage, isHostile: Bool) {
        self.process = process
        self.number = number
        self.stage = stage
        self.isHostile = isHostile
        session = stage.store.connect(as: .dom0)
        nodes = stage.device.backend(session)
        agenda = DriverAgenda(session, now: stage.simulation.now)
    }

    func addParties() {
        stage.simulation.add(
            "backend \(number), driver",
            isRung: { [unowned self] in
                !process.isAlive
                    || agenda.isRung(
                        at: stage.simulation.now, hasActions: !actions.isEmpty,
                        wantsClose: stage.isBackendClosing)
            },
            step: { [self] now in try process.whileAlive { try drive(now) } })
        stage.simulation.add(
            "backend \(number), server",
            isRung: { [unowned self] in
                !process.isAlive || process.hasPendingEvent || hasEnded || hasMore
            },
            step: { [self] now in try process.whileAlive { try serve(now) } })
    }

    /// Lets go of what a dead process had.
    func bury() {
        session.close()
        service = nil
    }

    // MARK: The server

    /// A request was served, and there may be more.
    private var hasMore = false

    private func serve(_ now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        if hasEnded { return nil }
        let events = EventChannels(process.events)
        while let event = try events.wait(until: .now) { try event.unmask() }
        if isHostile {
            Scribbler(stage.simulation.choices).scribble(process)
        }
        do {
            hasMore = try service?.serveNext() ?? false
        } catch  where process.isAlive {
            // As the shipped server's thread ends then.
            service = nil
            hasMore = false
            agenda.reports.fail(machine.epoch)
        }
        let pause: Duration = isHostile ? .milliseconds(1) : .seconds(20)
        return now + pause
    }

    // MARK: The driver

    private func drive(_ now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        if hasEnded { return nil }
        let item = agenda.next(
            at: now, hasActions: !actions.isEmpty, epoch: machine.epoch,
            wantsClose: stage.isBackendClosing)
        switch item {
        case .begin: try nodes.watchBoth()
        case .act: if let action = actions.popFirst() { try perform(action) }
        case .failed: actions = machine.handle(.failed)[...]
        case .close: actions = machine.handle(.close)[...]
        case .closeExpired: actions = machine.handle(.closeExpired)[...]
        case .look: try look()
        case .nothing: break
        }
        return hasEnded ? nil : agenda.wake(after: now, hasActions: !actions.isEmpty)
    }

    private func look() throws {
        machine.isOnline = try session.read("online", of: nodes.own) == "1"
        let frontend = try nodes.peerState()
        if frontend != nil { actions = machine.handle(.own(try nodes.ownState()))[...] }
        if actions.isEmpty {
            let published = try nodes.published(Self.frontendKeys)
            actions = machine.handle(.frontend(frontend, published: published))[...]
        } else {
            session.hasEvent = true
        }
    }

    private func perform(_ action: BackendMachine.Action) throws {
        stage.simulation.note("backend \(number): \(Self.words(action))")
        do {
            switch action {
            case .connect(_, let published): try connect(published)
            case .announce(let published): try announce(published)
            case .disconnect:
                service = nil
                hasMore = false
            case .setState(let state):
                if state == .initWait {
                    try nodes.write(["feature-flush-cache": "1", "feature-persistent": "1"])
                }
                try nodes.write(state: state)
            case .finish: hasEnded = true
            }
        } catch  where process.isAlive {
            actions = []
            agenda.reports.fail(machine.epoch)
        }
    }

    /// Without the order of a dictionary in it, which is another in each run.
    private static func words(_ action: BackendMachine.Action) -> String {
        switch action {
        case .connect(let epoch, let published):
            "connect \(epoch), ring \(published["ring-ref"] ?? "none")"
        case .announce: "announce"
        default: "\(action)"
        }
    }

    private func connect(_ published: [String: String]) throws {
        if isHostile { stage.taint(published) }
        service = try BlockService(
            published: published, of: stage.device.guest, storage: stage.storage,
            grants: GrantTable(process.grants), events: EventChannels(process.events),
            mapPatience: .zero)
        hasMore = true
        guard process.isAlive else { return }
        try nodes.write([
            "sectors": "\(stage.storage.sectorCount)", "sector-size": "512", "info": "0",
        ])
    }

    /// As the driver does it, in one transaction with the look at the frontend's nodes.
    private func announce(_ published: [String: String]) throws {
        let state = try nodes.peerState()
        if state == .initialised || state == .connected,
            try nodes.published(Self.frontendKeys) == published
        {
            try nodes.write(state: .connected)
        } else {
            session.hasEvent = true
        }
    }
}
