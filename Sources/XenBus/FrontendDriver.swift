import Synchronization
public import XenCore
public import XenStoreClient

/// Carries a `FrontendMachine`: watches the backend, writes our nodes, and calls the device.
///
/// It survives a backend that goes away and comes back: each time a new epoch with new rings begins.
public final class FrontendDriver: Sendable {
    private let device: any FrontendDevice
    private let shell: DriverShell
    private let currentEpoch = Mutex(Epoch.none)

    /// - Parameters:
    ///   - path: the frontend's directory, as `device/vbd/51712` in the home of its domain.
    ///   - store: a connection as the frontend's domain.
    public init(_ device: any FrontendDevice, at path: StorePath, store: StoreClient) {
        self.device = device
        shell = DriverShell(path: path, store: store)
    }

    /// The newest epoch that was begun.
    public var epoch: Epoch { currentEpoch.withLock { $0 } }

    /// Asks for an orderly close; `run` returns when that is done, within five seconds.
    public func close() { shell.close() }

    /// Runs the device until it is closed or unplugged. The device is retired whichever way this ends.
    ///
    /// Throws `.noDevice` if the directory lacks what the toolstack writes, `.store` if the store fails, and
    /// `CancellationError` if the task is cancelled; nothing is written to the store then, so that
    /// the backend sees a frontend that died.
    public func run() async throws {
        var machine = FrontendMachine()
        do {
            try await shell.run(peerRole: "backend") { nodes in
                try await nodes.write(state: .initialising)
            } turn: { nodes, reports in
                try await turn(&machine, nodes, reports)
            }
        } catch {
            await device.retire(machine.epoch)
            throw error
        }
    }

    /// Tells the machine all that is new.
    ///
    /// - Returns: whether the device is closed.
    private func turn(
        _ machine: inout FrontendMachine, _ nodes: DeviceNodes, _ reports: DriverSignals.Reports
    ) async throws -> Bool {
        if let failure = reports.failure, failure.epoch == machine.epoch {
            if try await feed(.lost, to: &machine, nodes) { return true }
            try await Task.sleep(for: DriverShell.retryPause)
        }
        if reports.wantsClose, try await feed(.close, to: &machine, nodes) { return true }
        if reports.closeExpired, try await feed(.closeExpired, to: &machine, nodes) { return true }
        return try await feed(try await observation(nodes), to: &machine, nodes)
    }

    /// The backend's state, unless our own directory has gone.
    private func observation(
        _ nodes: DeviceNodes
    ) async throws(StoreError) -> FrontendMachine.Input {
        let own = try await DeviceNodes.value("state", of: nodes.own, in: nodes.store)
        guard own != nil else { return .unplugged }
        let state = try await nodes.peerState(in: nodes.store)
        let online = try await DeviceNodes.value("online", of: nodes.peer, in: nodes.store)
        return .backend(state, isOnline: online != "0")
    }

    /// - Returns: whether the device is closed.
    private func feed(
        _ input: FrontendMachine.Input, to machine: inout FrontendMachine, _ nodes: DeviceNodes
    ) async throws -> Bool {
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
                case .setState(let state): try await nodes.write(state: state)
                case .finish: return true
                }
            } catch let error where DriverShell.isOfDevice(error) {
                // The device could not: its rings are dropped, and after a pause it tries again.
                actions = []
                shell.signals.fail(machine.epoch, error)
            }
        }
        return false
    }

    /// - Returns: false if the backend is not in InitWait any more, and nothing was published.
    private func publish(_ epoch: Epoch, _ nodes: DeviceNodes) async throws -> Bool {
        currentEpoch.withLock { $0 = epoch }
        let values = try await device.prepare(epoch, for: nodes.peerDomain)
        return try await nodes.write(
            values, state: .initialised, if: PeerCondition(states: [.initWait]))
    }
}
