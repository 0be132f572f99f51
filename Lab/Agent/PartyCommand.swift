import ArgumentParser
import RemoteParties
import XenCore
import XenSystem

/// `xen-lab-agent party`: the right party of another domain's `suites`.
struct PartyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "party", abstract: "Makes parties here for the `suites` of another domain.")

    @Option(help: "The number of the domain that this runs in.")
    var domain: UInt16

    @Option(help: "Where `suites` runs.")
    var leftDomain: UInt16

    func run() async throws {
        let (here, left) = (DomainID(domain), DomainID(leftDomain))
        let link = try await Link.meeting(left, from: here, leftDomain: left)
        let server = PartyServer(over: link) {
            try openedHandles()
        } hold: {
            try Victim(holding: $0)
        }
        try server.serve(until: .after(.seconds(600)))
        Terminal.output.line("made \(server.partyCount) parties for \(left)")
    }
}
