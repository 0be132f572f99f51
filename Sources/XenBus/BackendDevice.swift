public import XenCore

/// What a kind of backend does at each step of the handshake: a `BackendDriver` calls it, one call at a time.
public protocol BackendDevice: Sendable {
    /// The nodes to write before the state InitWait: what this backend can do.
    var features: [String: String] { get }

    /// The nodes of the frontend's directory that `connect` wants to see.
    var frontendKeys: [String] { get }

    /// Maps the frontend's rings, binds its port and starts to serve.
    ///
    /// - Parameters:
    ///   - published: those of `frontendKeys` that the frontend has written. Any text is possible.
    ///   - reportFailure: to be called when the frontend breaks the protocol.
    /// - Returns: the nodes to write before the state Connected.
    func connect(
        _ epoch: Epoch, to frontend: DomainID, published: [String: String],
        reportFailure: @escaping @Sendable (any Error) -> Void
    ) async throws -> [String: String]

    /// Stops serving, and unmaps and closes all that is the frontend's.
    func disconnect(_ epoch: Epoch) async
}
