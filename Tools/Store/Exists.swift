import ArgumentParser
import ToolSupport
import XenStoreClient
import XenSystem

struct Exists: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tells by its status whether there are such nodes: 0 if all are there, 1 if not.",
        discussion: "Nothing is printed but with --json.")

    @OptionGroup var client: ClientOptions

    @Argument(help: ArgumentHelp("The nodes.", valueName: "path"), transform: pathArgument)
    var paths: [StorePath]

    func run() async throws {
        try await client.withStore { store in
            var areThere = true
            for path in paths {
                let isThere = try await store.exists(path)
                areThere = areThere && isThere
                guard client.json else { continue }
                try Terminal.output.print(
                    JSON.object([("path", .string("\(path)")), ("exists", .bool(isThere))]).line)
            }
            if !areThere { throw ToolFailure(.noSuchNode) }
        }
    }
}
