import XenCore
public import XenStoreClient

/// Carries a `BackendMachine`: watches the frontend, writes our nodes, and calls the device.
public final class BackendDriver: Sendable {
    private let device: any BackendDevice
    private let shell: DriverShell

    /// - Parameters:
    ///   - path: the backend's directory, as `backend/vbd/3/51712` in the home of its domain.
    ///   - store: a connection as the backend's domain.
    public init(_ device: any BackendDevice, at path: StorePath, store: StoreClient) {
        self.device = device
        shell = DriverShell(path: path, store: store)
    }

    /// Asks for an orderly close; `run` returns when that is done, within five seconds.
    public func close() { shell.close() }

    /// Runs the device until it is closed or its frontend is gone for good, and says which. The device is
    /// disconnected whichever way this ends.
    ///
    /// Throws `.noDevice` if the directory lacks what the toolstack writes, `.store` if the store fails, and
    /// `CancellationError` if the task is cancelled; nothing is written to the store then, so that
    /// the frontend sees a backend that died.
    @discardableResult
    public func run() async throws -> DeviceEnd {
        var machine = BackendMachine()
        do {
            return try await shell.run(peerRole: "frontend") { _ in
            } turn: { nodes, reports in
                try await turn(&machine, nodes, reports)
            }
        } catch {
            await device.disconnect(machine.epoch)
            throw error
        }
    }

    /// Tells the machine all that is new.
    private func turn(
        _ machine: inout BackendMachine, _ nodes: DeviceNodes, _ reports: DriverSignals.Reports
    ) async throws -> DeviceEnd? {
        machine.isOnline =
            try await DeviceNodes.value("online", of: nodes.own, in: nodes.store) == "1"
        if let (epoch, error) = reports.failure, epoch == machine.epoch {
            try await nodes.write(error)
            if let end = try await feed(.failed, to: &machine, nodes) { return end }
            try await Task.sleep(for: DriverShell.retryPause)
        }
        if reports.wantsClose, let end = try await feed(.close, to: &machine, nodes) { return end }
        if reports.closeExpired, let end = try await feed(.closeExpired, to: &machine, nodes) {
            return end
        }
        // Our node before the frontend's: a device that is detached loses that one first.
        let own = try await nodes.ownState()
        let observation = try await observation(nodes)
        if case .frontend(nil, _) = observation {
            return try await feed(observation, to: &machine, nodes)
        }
        if let end = try await feed(.own(own), to: &machine, nodes) { return end }
        return try await feed(observation, to: &machine, nodes)
    }

    /// The frontend's state and what it published, as they were at one moment.
    private func observation(_ nodes: DeviceNodes) async throws(StoreError) -> BackendMachine.Input
    {
        try await nodes.store.withTransaction { transaction throws(StoreError) in
            let state = try await nodes.peerState(in: transaction)
            let published = try await nodes.published(device.frontendKeys, in: transaction)
            return .frontend(state, published: published)
        }
    }

    private func feed(
        _ input: BackendMachine.Input, to machine: inout BackendMachine, _ nodes: DeviceNodes
    ) async throws -> DeviceEnd? {
        var actions = machine.handle(input)[...]
        while let action = actions.popFirst() {
            do {
                switch action {
                case .connect(let epoch, let published):
                    let values = try await device.connect(
                        epoch, to: nodes.peerDomain, published: published
                    ) { [signals = shell.signals] error in
                        signals.fail(epoch, error)
                    }
                    try await nodes.write(values)
                case .announce(let published):
                    if try await !announce(published, nodes) { shell.signals.look() }
                case .disconnect(let epoch): await device.disconnect(epoch)
                case .setState(let state):
                    if state == .initWait { try await nodes.write(device.features) }
                    try await nodes.write(state: state)
                case .finish(let end): return end
                }
            } catch let error where DriverShell.isOfDevice(error) {
                actions = []
                shell.signals.fail(machine.epoch, error)
            }
        }
        return nil
    }

    /// - Returns: false if the frontend no longer stands where we connected to it; nothing was written then.
    private func announce(
        _ published: [String: String], _ nodes: DeviceNodes
    ) async throws(StoreError) -> Bool {
        try await nodes.write(
            state: .connected,
            if: PeerCondition(
                states: [.initialised, .connected], keys: device.frontendKeys, published: published)
        )
    }
}
