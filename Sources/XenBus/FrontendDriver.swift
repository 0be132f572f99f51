import Synchronization
public import XenCore
public import XenStoreClient

/// Carries a `FrontendMachine`: watches the backend, writes our nodes, and calls the device.
///
/// It survives a backend that goes away and comes back, and its own domain's being saved and restored, or
/// migrated: each time a new epoch with new rings begins.
public final class FrontendDriver: Sendable {
    private let device: any FrontendDevice
    private let shell: DriverShell
    private let currentEpoch = Mutex(Epoch.none)
    private let doubtsUntil = Mutex<Deadline?>(nil)

    /// - Parameters:
    ///   - path: the frontend's directory, as `device/vbd/51712` in the home of its domain. A relative path leads
    ///     there also after a resume, when the domain may have another number.
    ///   - store: a connection as the frontend's domain.
    public init(_ device: any FrontendDevice, at path: StorePath, store: StoreClient) {
        self.device = device
        shell = DriverShell(path: path, store: store)
    }

    /// The newest epoch that was begun.
    public var epoch: Epoch { currentEpoch.withLock { $0 } }

    /// Asks for an orderly close; `run` returns when that is done, within five seconds.
    public func close() { shell.close() }

    /// Runs the device until it is closed or unplugged, and says which. The device is retired whichever way this
    /// ends.
    ///
    /// Throws `.noDevice` if the directory lacks what the toolstack writes, `.store` if the store fails, and
    /// `CancellationError` if the task is cancelled; nothing is written to the store then, so that
    /// the backend sees a frontend that died.
    @discardableResult
    public func run() async throws -> DeviceEnd {
        var machine = FrontendMachine()
        do {
            return try await shell.run(peerRole: Self.peerRole) { nodes in
                try await nodes.write(state: .initialising)
            } turn: { nodes, reports in
                try await turn(&machine, &nodes, reports)
            }
        } catch {
            await device.retire(machine.epoch)
            throw error
        }
    }

    private static let peerRole = "backend"

    /// Tells the machine all that is new.
    private func turn(
        _ machine: inout FrontendMachine, _ nodes: inout DeviceNodes,
        _ reports: DriverSignals.Reports
    ) async throws -> DeviceEnd? {
        // First of all, since what is dead is let go of otherwise than what is in use.
        if reports.wasResumed, let end = try await feed(.resumed, to: &machine, &nodes) {
            return end
        }
        let own = try await nodes.ownState()
        if let own, !machine.expects(own), try await awaitsResumption() { return nil }
        var inputs = [FrontendMachine.Input.own(own)]
        let hasFailed = reports.failure.map { $0.epoch == machine.epoch } ?? false
        if hasFailed { inputs.append(.lost) }
        if reports.wantsClose { inputs.append(.close) }
        if reports.closeExpired { inputs.append(.closeExpired) }
        for input in inputs {
            if let end = try await feed(input, to: &machine, &nodes) { return end }
            if input == .lost { try await Task.sleep(for: DriverShell.retryPause) }
        }
        let observation = try await observation(nodes)
        // Read after the backend: while our node is still ours, so was the backend. A resume in between shows a device
        // without its backend, which must not be let go of as one that lives.
        guard let now = try await nodes.ownState(), machine.expects(now) else {
            shell.signals.look()
            return nil
        }
        return try await feed(observation, to: &machine, &nodes)
    }

    /// A device that was made anew is the sign of a resume, of which we are told by itself at the same time; by a
    /// toolstack that did so without one we are not.
    ///
    /// - Returns: whether to do nothing yet, and look again.
    private func awaitsResumption() async throws -> Bool {
        let deadline = doubtsUntil.withLock { until in
            until = until ?? .after(.seconds(1))
            return until
        }
        guard let deadline, !deadline.hasPassed else {
            doubtsUntil.withLock { $0 = nil }
            return false
        }
        try await Task.sleep(for: .milliseconds(20))
        shell.signals.look()
        return true
    }

    private func observation(
        _ nodes: DeviceNodes
    ) async throws(StoreError) -> FrontendMachine.Input {
        let state = try await nodes.peerState(in: nodes.store)
        let online = try await DeviceNodes.value("online", of: nodes.peer, in: nodes.store)
        return .backend(state, isOnline: online != "0")
    }

    private func feed(
        _ input: FrontendMachine.Input, to machine: inout FrontendMachine,
        _ nodes: inout DeviceNodes
    ) async throws -> DeviceEnd? {
        var actions = machine.handle(input)[...]
        while let action = actions.popFirst() {
            do {
                switch action {
                case .publish(let epoch):
                    if try await !publish(epoch, nodes) {
                        actions = machine.handle(.lost)[...]
                        shell.signals.look()
                    }
                case .connect(let epoch):
                    let published = try await nodes.published(device.backendKeys, in: nodes.store)
                    try await device.connect(epoch, published: published) {
                        [signals = shell.signals] error in
                        signals.fail(epoch, error)
                    }
                case .retire(let epoch): await device.retire(epoch)
                case .resume:
                    doubtsUntil.withLock { $0 = nil }
                    await device.resume()
                case .relocate:
                    if try await !relocate(&nodes) { actions = machine.handle(.own(nil))[...] }
                case .setState(let state): try await nodes.write(state: state)
                case .finish(let end): return end
                }
            } catch let error where DriverShell.isOfDevice(error) {
                // The device could not: its rings are dropped, and after a pause it tries again.
                actions = []
                shell.signals.fail(machine.epoch, error)
            }
        }
        return nil
    }

    /// - Returns: false if the resumed domain has no such device.
    private func relocate(_ nodes: inout DeviceNodes) async throws -> Bool {
        let found = try await DeviceNodes.look(
            nodes.own, peerRole: Self.peerRole, store: nodes.store)
        guard let found else { return false }
        nodes = found
        return try await nodes.write(state: .initialising)
    }

    /// - Returns: false if the backend is not in InitWait any more, and nothing was published.
    private func publish(_ epoch: Epoch, _ nodes: DeviceNodes) async throws -> Bool {
        currentEpoch.withLock { $0 = epoch }
        let values = try await device.prepare(epoch, for: nodes.peerDomain)
        return try await nodes.write(
            values, state: .initialised, if: PeerCondition(states: [.initWait]))
    }
}
