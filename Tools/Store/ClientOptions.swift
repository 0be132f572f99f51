import ArgumentParser
import XenStoreClient

/// What every command takes that talks to a server.
struct ClientOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server's socket, or Xen's device, if not the one that libxenstore would take.",
            valueName: "path"))
    var socket: String?

    @Option(
        help: ArgumentHelp(
            "How long to wait for each answer (5 if not given); with watch, for all events.",
            valueName: "seconds"))
    var timeout: Double?

    @Flag(help: "Print JSON: octets that are UTF-8 as \"value\", others as \"base64\".")
    var json = false

    func validate() throws {
        guard timeout.map({ $0 > 0 && $0 <= 1e8 }) ?? true else {
            throw ValidationError("--timeout is a number of seconds over 0")
        }
    }

    /// How long `--timeout` is, if it was given.
    var limit: Duration? { timeout.map { .seconds($0) } }

    /// Connects, lets `body` work, and ends the connection.
    func withStore(
        requestTimeout: Duration? = nil, _ body: (StoreClient) async throws -> Void
    ) async throws {
        let timeout = requestTimeout ?? limit ?? .seconds(5)
        let store =
            try socket.map { path throws(StoreError) in
                try StoreClient.connect(path: path, requestTimeout: timeout)
            } ?? StoreClient.connect(requestTimeout: timeout)
        defer { store.close() }
        try await body(store)
    }
}

/// A path from the command line. Throws what ArgumentParser shows.
func pathArgument(_ text: String) throws -> StorePath {
    do throws(StoreError) { return try StorePath(text) } catch {
        throw ValidationError(error.message)
    }
}

/// An entry such as `r3` from the command line. Throws what ArgumentParser shows.
func permissionArgument(_ text: String) throws -> Permission {
    guard let entry = Permission(bytes: Array(text.utf8)[...]) else {
        throw ValidationError(
            "'\(text)' is no permission: it is n, r, w or b and a domain's number, as in r3")
    }
    return entry
}
