import ArgumentParser

/// Runs inside a real Xen and holds it to what the project claims: one subcommand a topic.
@main
struct Agent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xen-lab-agent",
        abstract: "Runs swift-xen's suites on real Xen.",
        subcommands: [
            Suites.self, StoreCommand.self, Hold.self, ServeCommand.self, CallCommand.self,
            AnswerCommand.self, PartyCommand.self, RingsCommand.self, SurviveCommand.self,
        ])
}
