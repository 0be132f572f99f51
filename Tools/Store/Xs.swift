import ArgumentParser
import XenSystem

/// The xenstore's command line.
@main
struct Xs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xs",
        abstract: "Reads, changes, watches and serves the xenstore.",
        discussion: """
            Without --socket the store is found as libxenstore finds it: XENSTORED_PATH, the socket below \
            XENSTORED_RUNDIR, /dev/xen/xenbus, /proc/xen/xenbus. A path may be relative to the domain's home.

            The status is 0 if all went well; 1 if there is no such node; 2 if the server refused for another \
            reason; 3 if the connection was lost and the change may have been made; 64 if the command line is \
            wrong, 65 a script, 66 if there is none; 69 if no server can be reached; 73 if serve cannot make its \
            files; 74 if a file or pipe failed; 75 if trying again may help (time is over, a conflict); 76 if the \
            server broke the protocol; 77 if this domain may not.
            """,
        subcommands: [
            Read.self, Write.self, MakeDirectory.self, Remove.self, List.self,
            ChangePermissions.self, Exists.self, Watch.self, Transact.self, Control.self,
            Serve.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            end(with: error)
        }
    }

    /// Says on stderr what went wrong, in a line that begins with the tool's name.
    private static func end(with error: any Error) -> Never {
        if let failure = ToolFailure(error) {
            if let message = failure.message { Terminal.error.line("xs: \(message)") }
            exit(withError: ExitCode(failure.status.rawValue))
        }
        let code = exitCode(for: error)
        // Help that was asked for.
        guard !code.isSuccess else { exit(withError: error) }
        let text = fullMessage(for: error)
        Terminal.error.line(text.hasPrefix("Error: ") ? "xs: " + text.dropFirst(7) : text)
        exit(withError: code)
    }
}
