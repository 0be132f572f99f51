public import XenCore
public import XenStoreWire

/// What a toolstack does with domains. The server knows no transaction here; most of it takes privilege.
extension StoreClient {
    /// Tells the server of a domain that it shall serve, and of the other end of its event channel.
    ///
    /// - Parameters:
    ///   - frame: of the domain's store page. Current servers map grant reference 1 instead, and ignore it.
    ///   - port: the domain's, to which the server binds.
    public func introduce(
        _ domain: DomainID, frame: Int64, port: EventPort
    ) async throws(StoreError) {
        _ = try await perform(.introduce(domain, frame: frame, port: port))
    }

    /// Tells the server to serve a domain no longer. Throws `.refused`, `ENOENT`, for one that was not introduced.
    public func release(_ domain: DomainID) async throws(StoreError) {
        _ = try await perform(.release(domain))
    }

    /// Tells the server that a domain which had shut down goes on.
    public func resume(_ domain: DomainID) async throws(StoreError) {
        _ = try await perform(.resume(domain))
    }

    /// Gives `domain` the permissions of `target`, beside its own: for a domain that emulates another's devices.
    public func setTarget(of domain: DomainID, to target: DomainID) async throws(StoreError) {
        _ = try await perform(.setTarget(domain, target: target))
    }

    /// Whether the server serves a domain.
    public func isIntroduced(_ domain: DomainID) async throws(StoreError) -> Bool {
        try Reply.boolean(try await perform(.isDomainIntroduced(domain)))
    }

    /// Drops all of this connection's watches and transactions at the server. The client's own watches go silent, and
    /// their transactions end.
    ///
    /// For a client that takes over another's ring. Never sent to the kernel's device, where it would drop the
    /// kernel's own watches: throws `.refused` there.
    public func resetWatches() async throws(StoreError) {
        _ = try await perform(.resetWatches)
    }
}
