import Synchronization
public import XenCore
public import XenStoreClient

/// Carries a `FrontendMachine`: watches the backend, writes our nodes, and calls the device.
///
/// It survives a backend that goes away and comes back: each time a new epoch with new rings begins.
public final class FrontendDriver: Sendable {
    /// How long a backend gets to take part in closing.
    private static let closeTimeout = Duration.seconds(5)

    /// How long a device that has failed rests, so that no peer can make us spin.
    private static let retryPause = Duration.milliseconds(200)

    private let device: any FrontendDevice
    private let path: StorePath
    private let store: StoreClient
    private let signals = DriverSignals()
    private let currentEpoch = Mutex(Epoch.none)

    /// - Parameters:
    ///   - path: the frontend's directory, as `device/vbd/51712` in the home of its domain.
    ///   - store: a connection as the frontend's domain.
    public init(_ device: any FrontendDevice, at path: StorePath, store: StoreClient) {
        self.device = device
        self.path = path
        self.store = store
    }

    /// The newest epoch that was begun.
    public var epoch: Epoch { currentEpoch.withLock { $0 } }

    /// Asks for an orderly close; `run` returns when that is done, within five seconds.
    public func close() {
        signals.report { $0.wantsClose = true }
        Task { [signals] in
            try? await Task.sleep(for: Self.closeTimeout)
            signals.report { $0.closeExpired = true }
        }
    }

    /// Runs the device until it is closed. The device is retired whichever way this ends.
    ///
    /// Throws `.noDevice` if the directory lacks what the toolstack writes, `.store` if the store fails, and
    /// `CancellationError` if the task is cancelled; nothing is written to the store then, so that
    /// the backend sees a frontend that died.
    public func run() async throws {
        do {
            let nodes = try await DeviceNodes.find(path, peerRole: "backend", store: store)
            try await nodes.write(state: .initialising)
            let watch = try await store.watch(nodes.peer)
            try await signals.forward([watch]) { try await loop(nodes) }
        } catch {
            throw Task.isCancelled
                ? CancellationError()
                : (error as? StoreError).map { BusError(.store, "\($0)") } ?? error
        }
    }

    private func loop(_ nodes: DeviceNodes) async throws {
        var machine = FrontendMachine()
        do {
            for await _ in signals.wakes {
                if try await turn(&machine, nodes) { return }
            }
            throw CancellationError()
        } catch {
            await device.retire(machine.epoch)
            throw error
        }
    }

    /// Tells the machine all that is new.
    ///
    /// - Returns: whether the device is closed.
    private func turn(_ machine: inout FrontendMachine, _ nodes: DeviceNodes) async throws -> Bool {
        let reports = signals.take()
        if let error = reports.storeEnded { throw error }
        if let failure = reports.failure, failure.epoch == machine.epoch {
            if try await feed(.lost, to: &machine, nodes) { return true }
            try await Task.sleep(for: Self.retryPause)
        }
        var inputs: [FrontendMachine.Input] = []
        if reports.wantsClose { inputs.append(.close) }
        if reports.closeExpired { inputs.append(.closeExpired) }
        let state = try await nodes.peerState(in: store)
        let online = try await DeviceNodes.value("online", of: nodes.peer, in: store)
        inputs.append(.backend(state, isOnline: online != "0"))
        for input in inputs {
            if try await feed(input, to: &machine, nodes) { return true }
        }
        return false
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
                        signals.look()
                    }
                case .connect(let epoch):
                    let published = try await nodes.published(device.backendKeys, in: store)
                    try await device.connect(epoch, published: published) { [signals] error in
                        signals.fail(epoch, error)
                    }
                case .retire(let epoch): await device.retire(epoch)
                case .setState(let state): try await nodes.write(state: state)
                case .finish: return true
                }
            } catch let error where !(error is StoreError) {
                // The device could not: its rings are dropped, and after a pause it tries again.
                actions = []
                signals.fail(machine.epoch, error)
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
