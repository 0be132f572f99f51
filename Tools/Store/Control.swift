import ArgumentParser
import ToolSupport
import XenStoreClient
import XenSystem

struct Control: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Gives the server itself a command and prints what it says, as xenstore-control does.",
        discussion: "'xs control help' lists the commands of the server at hand.")

    @OptionGroup var client: ClientOptions

    @Argument(help: ArgumentHelp("The command and its arguments.", valueName: "command"))
    var words: [String]

    func run() async throws {
        try await client.withStore { store in
            var reply = try await store.perform(.control(words.map { Array($0.utf8) }))
            while reply.last == 0 || reply.last == UInt8(ascii: "\n") { reply.removeLast() }
            if client.json {
                try Terminal.output.print(JSON.object([Octets(reply).member]).line)
            } else {
                try Terminal.output.put(reply + [UInt8(ascii: "\n")])
            }
        }
    }
}
