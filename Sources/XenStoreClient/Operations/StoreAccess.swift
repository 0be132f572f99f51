public import XenCore
public import XenStoreWire

/// The store as seen by a client, or from within one of its transactions.
///
/// Every method suspends until the server has answered, and throws `StoreError`: `.refused` with the server's word,
/// `.timedOut`, `.cancelled`, `.disconnected`, `.outcomeUnknown`, `.tooLong`, `.protocolViolation`, `.limitReached` when
/// this client has too many requests under way, and within a transaction `.conflict` once its connection is lost.
public protocol StoreAccess: Sendable {
    /// Sends any request and returns the payload of its reply, as `Reply` reads it.
    func perform(_ request: Request) async throws(StoreError) -> [UInt8]
}

extension StoreAccess {
    /// The value of a node. Values are octets, at most 4096.
    public func read(_ path: StorePath) async throws(StoreError) -> [UInt8] {
        try await perform(.read(path))
    }

    /// The value of a node as text; bytes that are no UTF-8 are replaced.
    public func readString(_ path: StorePath) async throws(StoreError) -> String {
        String(decoding: try await read(path), as: UTF8.self)
    }

    /// Sets a node's value. Makes the node, and the nodes above it, where they are missing.
    public func write(_ path: StorePath, _ value: [UInt8]) async throws(StoreError) {
        _ = try await perform(.write(path, value))
    }

    /// Sets a node's value to text.
    public func write(_ path: StorePath, _ text: String) async throws(StoreError) {
        try await write(path, Array(text.utf8))
    }

    /// Makes a node with an empty value, if it is missing, and the nodes above it.
    public func makeDirectory(_ path: StorePath) async throws(StoreError) {
        _ = try await perform(.makeDirectory(path))
    }

    /// Removes a node and all below it. No error if it is missing but its parent exists.
    public func remove(_ path: StorePath) async throws(StoreError) {
        _ = try await perform(.remove(path))
    }

    /// The names of a node's children, in the server's order; each can be appended to `path`.
    ///
    /// A list that does not fit one reply is fetched in parts, again from the start when it changes meanwhile: up to 16
    /// times (`.conflict`), within a minute (`.timedOut`), and up to 128 MiB of memory (`.limitReached`).
    public func directory(_ path: StorePath) async throws(StoreError) -> [StorePath] {
        var listing = DirectoryListing(path)
        while true {
            let reply: Result<[UInt8], StoreError>
            do { reply = .success(try await perform(listing.request)) } catch {
                reply = .failure(error)
            }
            if let names = try listing.take(reply) { return names }
        }
    }

    /// Who may do what with a node: the owner's entry first.
    public func permissions(_ path: StorePath) async throws(StoreError) -> [Permission] {
        try Reply.permissions(try await perform(.getPermissions(path)))
    }

    /// Replaces a node's permissions. Only its owner and privileged domains may, and only the latter change the owner.
    public func setPermissions(_ path: StorePath, _ entries: [Permission]) async throws(StoreError)
    {
        _ = try await perform(.setPermissions(path, entries))
    }

    /// Whether there is such a node. Throws `.refused` with `EACCES` where this domain may not know.
    public func exists(_ path: StorePath) async throws(StoreError) -> Bool {
        do {
            _ = try await perform(.read(path))
            return true
        } catch  where error.name == .noEntry {
            return false
        }
    }

    /// The home of a domain, to which its relative paths belong.
    public func domainPath(_ domain: DomainID) async throws(StoreError) -> StorePath {
        try Reply.path(try await perform(.getDomainPath(domain)))
    }

    /// Our own domain's number, from the node `domid` in its home, which the toolstack writes.
    public func domainID() async throws(StoreError) -> DomainID {
        try Reply.domain(try await read("domid"))
    }
}
