import XenCore
import XenStoreClient

/// What both drivers have in common: where their device is, what wakes them, and how a run goes.
struct DriverShell: Sendable {
    /// How long the peer gets to take part in closing.
    private static let closeTimeout = Duration.seconds(5)

    /// How long a device that has failed rests, so that no peer can make us spin.
    static let retryPause = Duration.milliseconds(200)

    let path: StorePath
    let store: StoreClient
    let signals = DriverSignals()

    /// Asks for an orderly close, and for any close once the peer has had its time.
    func close() {
        signals.report { $0.wantsClose = true }
        Task { [signals] in
            try? await Task.sleep(for: Self.closeTimeout)
            signals.report { $0.closeExpired = true }
        }
    }

    /// Calls `turn` whenever there may be something to do, until it returns an end.
    ///
    /// - Parameters:
    ///   - peerRole: `backend` or `frontend`.
    ///   - begin: what to write before anything is looked at.
    ///   - turn: may move the device to other directories.
    func run(
        peerRole: String, begin: (DeviceNodes) async throws -> Void,
        turn: (inout DeviceNodes, DriverSignals.Reports) async throws -> DeviceEnd?
    ) async throws -> DeviceEnd {
        do {
            let nodes = try await DeviceNodes.find(path, peerRole: peerRole, store: store)
            let resumption = signals.follow(try await store.watchResumption())
            defer { resumption.cancel() }
            try await begin(nodes)
            let own = signals.follow(try await store.watch(nodes.own))
            defer { own.cancel() }
            return try await serve(nodes, turn)
        } catch {
            throw Task.isCancelled
                ? CancellationError()
                : (error as? StoreError).map { BusError(.store, "\($0)") } ?? error
        }
    }

    private func serve(
        _ first: DeviceNodes,
        _ turn: (inout DeviceNodes, DriverSignals.Reports) async throws -> DeviceEnd?
    ) async throws -> DeviceEnd {
        var nodes = first
        var watched = nodes.peer
        var peer = signals.follow(try await store.watch(watched))
        defer { peer.cancel() }
        for await _ in signals.wakes {
            let reports = signals.take()
            if let error = reports.storeEnded { throw error }
            do {
                if let end = try await turn(&nodes, reports) { return end }
            } catch let error as StoreError where error.code == .conflict {
                // The peer writes without pause: it is looked at again after a rest.
                try await Task.sleep(for: Self.retryPause)
                signals.look()
            }
            guard nodes.peer != watched else { continue }
            watched = nodes.peer
            peer.cancel()
            peer = signals.follow(try await store.watch(watched))
        }
        throw CancellationError()
    }

    /// Whether an action failed by the device's or the peer's doing, so that the device has failed, or by the
    /// store's, so that the driver has.
    static func isOfDevice(_ error: any Error) -> Bool {
        guard let error = error as? StoreError else { return true }
        return error.code == .conflict
    }
}
