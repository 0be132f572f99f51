import ArgumentParser
import XenStoreClient
import XenSystem

struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "Shows a node and all below it, with values, as a tree.",
        discussion: """
            Colours are for terminals, and not if NO_COLOR is set; there, long values are cut. Values are in double \
            quotes, with \\xHH for what is no printable text; empty ones are left out. What this domain may not read \
            is shown with the server's word for it.
            """)

    @OptionGroup var client: ClientOptions

    @Flag(name: .shortAndLong, help: "Show permissions, the owner's entry first.")
    var permissions = false

    @Option(name: .shortAndLong, help: "How many levels below the node to show.")
    var depth: Int?

    @Flag(name: .shortAndLong, help: "A line a node, with its whole path.")
    var fullPaths = false

    @Option(help: "When to colour: auto, always or never.")
    var color = ColourChoice.auto

    @Argument(help: "The node.", transform: pathArgument)
    var path: StorePath = .root

    func validate() throws {
        guard depth ?? 0 >= 0 else {
            throw ValidationError("--depth is 0 or more, not \(depth ?? 0)")
        }
    }

    func run() async throws {
        try await client.withStore { store in
            let tree = try await NodeTree.read(
                path, .init(depth: depth, readsPermissions: permissions), from: store)
            guard !client.json else { return try Terminal.output.print("\(tree.json)") }
            let style = TreeStyle.forOutput(color, fullPaths: fullPaths)
            let lines = TreeRendering(style: style).lines(of: tree)
            try Terminal.output.print(lines.joined(separator: "\n"))
        }
    }
}
