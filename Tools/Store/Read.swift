import ArgumentParser
import ToolSupport
import XenStoreClient
import XenSystem

struct Read: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints the values of nodes, a line each.",
        discussion: """
            A value is any bytes. On a terminal, those that are no printable text are shown as \\xHH. A pipe or a \
            file gets them as they are, with a newline after each value unless --raw is given.
            """)

    @OptionGroup var client: ClientOptions

    @Flag(help: "Write the bytes of the values and nothing else.")
    var raw = false

    @Argument(help: ArgumentHelp("The nodes.", valueName: "path"), transform: pathArgument)
    var paths: [StorePath]

    func validate() throws {
        guard !(raw && client.json) else {
            throw ValidationError("--raw and --json exclude each other")
        }
    }

    func run() async throws {
        try await client.withStore { store in
            for path in paths {
                let shown = ShownValue(path: path, value: Octets(try await store.read(path)))
                if client.json {
                    try Terminal.output.print(shown.json.line)
                } else {
                    try Terminal.output.put(shown.bytes(raw ? .raw : .forOutput))
                }
            }
        }
    }
}
