import ArgumentParser
import XenStoreClient

struct MakeDirectory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mkdir",
        abstract: "Makes nodes with an empty value, and those above them.",
        discussion: "A node that is there stays as it is. Several are made in one transaction.")

    @OptionGroup var client: ClientOptions

    @Argument(help: ArgumentHelp("The nodes.", valueName: "path"), transform: pathArgument)
    var paths: [StorePath]

    func run() async throws {
        try await client.withStore { store in
            try await store.withTransaction { store throws(StoreError) in
                for path in paths { try await store.makeDirectory(path) }
            }
        }
    }
}
