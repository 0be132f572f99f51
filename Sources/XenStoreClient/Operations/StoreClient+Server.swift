public import XenCore
public import XenStoreWire

/// What concerns the server itself. It knows no transaction here. A server that does not know an operation is asked
/// once a connection: `.refused`, `ENOSYS`.
extension StoreClient {
    /// A command to the daemon, such as `help`, with its arguments. Returns what it says, without its last NUL.
    public func control(_ command: String, _ arguments: String...) async throws(StoreError)
        -> String
    {
        let fields = ([command] + arguments).map { Array($0.utf8) }
        return Reply.string(try await perform(.control(fields)))
    }

    /// What the server offers.
    public func features() async throws(StoreError) -> ServerFeatures {
        try Reply.features(try await perform(.getFeature(nil)))
    }

    /// What the server offers to a domain.
    public func features(of domain: DomainID) async throws(StoreError) -> ServerFeatures {
        try Reply.features(try await perform(.getFeature(domain)))
    }

    /// Restricts what the server offers to a domain. Throws `.refused`, `EBUSY`, once it is introduced.
    public func setFeatures(
        of domain: DomainID, to features: ServerFeatures
    ) async throws(StoreError) {
        _ = try await perform(.setFeature(domain, features))
    }

    /// The names of all the quotas that the server knows.
    public func quotaNames() async throws(StoreError) -> [String] {
        Reply.words(try await perform(.getQuota(nil, name: nil)))
    }

    /// A quota for new domains.
    public func quota(_ name: String) async throws(StoreError) -> UInt32 {
        try Reply.number(try await perform(.getQuota(nil, name: Array(name.utf8))))
    }

    /// A domain's quota.
    public func quota(_ name: String, of domain: DomainID) async throws(StoreError) -> UInt32 {
        try Reply.number(try await perform(.getQuota(domain, name: Array(name.utf8))))
    }

    /// Sets a quota for new domains. 0 is no limit.
    public func setQuota(_ name: String, to limit: UInt32) async throws(StoreError) {
        _ = try await perform(.setQuota(nil, name: Array(name.utf8), limit: limit))
    }

    /// Sets a domain's quota. 0 is no limit.
    public func setQuota(
        _ name: String, of domain: DomainID, to limit: UInt32
    ) async throws(StoreError) {
        _ = try await perform(.setQuota(domain, name: Array(name.utf8), limit: limit))
    }
}
