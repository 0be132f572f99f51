public import XenStoreClient

/// One statement about a store, and how to find out through a connected client. It needs no test framework.
///
///     let client = try StoreClient.connect()
///     for check in StoreConformance.checks { try await check.run(client) }
public struct StoreCheck: Sendable {
    /// What is true of a store, and of the client, that passes.
    public let name: String

    private let body: @Sendable (StoreClient, StorePath) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (StoreClient, StorePath) async throws -> Void)
    {
        self.name = name
        self.body = body
    }

    /// Throws what was expected and what was found.
    ///
    /// Works in a node of its own below `data/`, which a guest may write, and removes it before and afterwards.
    public func run(_ client: StoreClient) async throws {
        let folder: StorePath = "data/swift-xen-conformance"
        try await client.makeDirectory("data")
        try await client.remove(folder)
        try await client.makeDirectory(folder)
        do {
            try await body(client, folder)
        } catch {
            try? await client.remove(folder)
            throw error
        }
        try await client.remove(folder)
    }
}

extension StoreCheck: CustomStringConvertible {
    public var description: String { name }
}

extension StoreError {
    /// Whether the server refused because the domain has, or asks for, too much. Names: C, then OCaml.
    var isOfQuota: Bool {
        let names: [StoreErrorName] = [.noSpace, .tooBig, StoreErrorName(rawValue: "EQUOTA")]
        return code == .refused && name.map(names.contains) == true
    }
}

/// Expects `action` to fail with this code.
func expectFailure(
    of what: String, as code: StoreError.Code, _ action: () async throws(StoreError) -> Void
) async throws {
    do {
        try await action()
    } catch {
        return try expect("the failure of \(what) (\(error))", error.code, is: code)
    }
    throw ConformanceFailure("\(what): expected a failure as '\(code)', but it was done")
}

/// Expects `action` to be refused by the server with this name.
func expectRefusal(
    of what: String, as name: StoreErrorName, _ action: () async throws(StoreError) -> Void
) async throws {
    do {
        try await action()
    } catch {
        return try expect("the refusal of \(what) (\(error))", error.name, is: name)
    }
    throw ConformanceFailure("\(what): expected a refusal as '\(name)', but it was done")
}
