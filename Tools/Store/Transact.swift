import ArgumentParser
import ToolSupport
import XenStoreClient
import XenSystem

struct Transact: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transaction",
        abstract: "Carries out a script in one transaction: all of it, or nothing.",
        discussion: """
            A line is 'read PATH', 'write PATH VALUE', 'mkdir PATH', 'rm PATH' or 'chmod PATH PERMISSION...'; empty \
            lines and those that begin with # do nothing. VALUE is the rest of the line; in double quotes it may have \
            the escapes with which ls shows values. The script runs again when another change conflicts with it. \
            Once it is committed, what was read is printed as 'xs read' prints it.
            """)

    @OptionGroup var client: ClientOptions

    @Option(help: "How often to try when others' changes conflict.")
    var attempts = 16

    @Argument(help: "The script; standard input if it is not given, or -.")
    var file = "-"

    func validate() throws {
        guard attempts > 0 else {
            throw ValidationError("--attempts is 1 or more, not \(attempts)")
        }
    }

    func run() async throws {
        let script = try TransactionScript(
            file == "-" ? try Input.standardInput() : try Input.file(file))
        try await client.withStore { store in
            let values = try await store.withTransaction(attempts: attempts) {
                store throws(StoreError) in
                try await script.run(in: store)
            }
            guard !client.json else {
                return try Terminal.output.print(JSON.array(values.map(\.json)).line)
            }
            for value in values { try Terminal.output.put(value.bytes(.forOutput)) }
        }
    }
}
