public import XenCore

/// What a kind of frontend does at each step of the handshake: a `FrontendDriver` calls it, one call at a time.
public protocol FrontendDevice: Sendable {
    /// The nodes of the backend's directory that `connect` wants to see.
    var backendKeys: [String] { get }

    /// Makes rings, grants and ports for a new epoch.
    ///
    /// - Returns: the nodes to publish, as `ring-ref` and `event-channel`.
    func prepare(_ epoch: Epoch, for backend: DomainID) async throws -> [String: String]

    /// The backend serves this epoch: start sending, first of all what older epochs left unanswered.
    ///
    /// - Parameters:
    ///   - published: those of `backendKeys` that the backend has written. Any text is possible.
    ///   - reportFailure: to be called when the backend breaks the protocol or is found dead.
    func connect(
        _ epoch: Epoch, published: [String: String],
        reportFailure: @escaping @Sendable (any Error) -> Void
    ) async throws

    /// Stops using this epoch's rings. The old backend may still have them mapped, and write to them:
    /// they are not to be reused until they could be revoked.
    func retire(_ epoch: Epoch) async

    /// The domain was restored or migrated: the rings, grants and ports of all epochs so far are dead, and the
    /// numbers of ports may be others' already. Comes before the `retire` of the last epoch. By default does nothing.
    func resume() async
}

extension FrontendDevice {
    public func resume() async {}
}
