import ArgumentParser
import XenStoreClient

struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Removes nodes with all that is below them.",
        discussion: "All are removed in one transaction, or none.")

    @OptionGroup var client: ClientOptions

    @Flag(name: .shortAndLong, help: "Do not mind nodes that are missing.")
    var force = false

    @Argument(help: ArgumentHelp("The nodes.", valueName: "path"), transform: pathArgument)
    var paths: [StorePath]

    func run() async throws {
        try await client.withStore { store in
            try await store.withTransaction { store throws(StoreError) in
                for path in paths { try await remove(path, store) }
            }
        }
    }

    private func remove(_ path: StorePath, _ store: StoreTransaction) async throws(StoreError) {
        // The server takes it for a success as long as there is the node above.
        if !force {
            guard try await store.exists(path) else {
                throw StoreError(
                    .refused, name: .noEntry, "RM \(path): no such node")
            }
        }
        do { try await store.remove(path) } catch {
            guard force, error.name == .noEntry else { throw error }
        }
    }
}
