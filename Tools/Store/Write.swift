import ArgumentParser
import XenStoreClient
import XenSystem

struct Write: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Sets the values of nodes; makes them, and those above them, where they are missing.",
        discussion: """
            Several pairs are written in one transaction: all of them, or none. The value - is read from standard \
            input to its end, as it is. A value that begins with '-' follows after '--'.
            """)

    @OptionGroup var client: ClientOptions

    @Argument(help: ArgumentHelp("PATH VALUE, as often as needed.", valueName: "path value"))
    var pairs: [String]

    func validate() throws {
        guard pairs.count.isMultiple(of: 2) else {
            throw ValidationError("'\(pairs[pairs.count - 1])' has no value: give PATH VALUE pairs")
        }
        guard values.filter({ $0 == "-" }).count <= 1 else {
            throw ValidationError("standard input can be the value of one node only")
        }
        _ = try paths
    }

    private var paths: [StorePath] {
        get throws {
            try stride(from: 0, to: pairs.count, by: 2).map { try pathArgument(pairs[$0]) }
        }
    }

    private var values: [String] { stride(from: 1, to: pairs.count, by: 2).map { pairs[$0] } }

    func run() async throws {
        let changes = zip(
            try paths,
            try values.map { value throws(ToolFailure) in
                value == "-" ? try Input.standardInput() : Array(value.utf8)
            })
        try await client.withStore { store in
            guard pairs.count > 2 else {
                for (path, value) in changes { try await store.write(path, value) }
                return
            }
            try await store.withTransaction { store throws(StoreError) in
                for (path, value) in changes { try await store.write(path, value) }
            }
        }
    }
}
