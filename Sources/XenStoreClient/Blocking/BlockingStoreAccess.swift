public import XenStoreWire

/// The store as seen by a blocking client, or from within one of its transactions: what most programs need. For every
/// other operation there is `perform`, with `Reply` to read what comes.
///
/// Every method blocks until the server has answered, and throws as `StoreAccess`.
public protocol BlockingStoreAccess {
    /// Sends any request and returns the payload of its reply, as `Reply` reads it.
    func perform(_ request: Request) throws(StoreError) -> [UInt8]
}

extension BlockingStoreAccess {
    /// The value of a node. Values are octets, at most 4096.
    public func read(_ path: StorePath) throws(StoreError) -> [UInt8] { try perform(.read(path)) }

    /// The value of a node as text; bytes that are no UTF-8 are replaced.
    public func readString(_ path: StorePath) throws(StoreError) -> String {
        String(decoding: try read(path), as: UTF8.self)
    }

    /// Sets a node's value. Makes the node, and the nodes above it, where they are missing.
    public func write(_ path: StorePath, _ value: [UInt8]) throws(StoreError) {
        _ = try perform(.write(path, value))
    }

    /// Sets a node's value to text.
    public func write(_ path: StorePath, _ text: String) throws(StoreError) {
        try write(path, Array(text.utf8))
    }

    /// Makes a node with an empty value, if it is missing, and the nodes above it.
    public func makeDirectory(_ path: StorePath) throws(StoreError) {
        _ = try perform(.makeDirectory(path))
    }

    /// Removes a node and all below it. No error if it is missing but its parent exists.
    public func remove(_ path: StorePath) throws(StoreError) { _ = try perform(.remove(path)) }

    /// The names of a node's children, in the server's order; each can be appended to `path`. As `StoreAccess.directory`.
    public func directory(_ path: StorePath) throws(StoreError) -> [StorePath] {
        var listing = DirectoryListing(path)
        while true {
            let reply: Result<[UInt8], StoreError>
            do { reply = .success(try perform(listing.request)) } catch { reply = .failure(error) }
            if let names = try listing.take(reply) { return names }
        }
    }

    /// Who may do what with a node: the owner's entry first.
    public func permissions(_ path: StorePath) throws(StoreError) -> [Permission] {
        try Reply.permissions(try perform(.getPermissions(path)))
    }

    /// Replaces a node's permissions.
    public func setPermissions(_ path: StorePath, _ entries: [Permission]) throws(StoreError) {
        _ = try perform(.setPermissions(path, entries))
    }
}

/// The store within a blocking client's transaction.
public struct BlockingTransaction: BlockingStoreAccess {
    let client: BlockingStoreClient
    let scope: TransactionScope

    public func perform(_ request: Request) throws(StoreError) -> [UInt8] {
        try client.perform(request, in: scope, until: client.requestDeadline).payload
    }
}

extension BlockingStoreClient: BlockingStoreAccess {
    public func perform(_ request: Request) throws(StoreError) -> [UInt8] {
        try perform(request, until: nil)
    }
}
