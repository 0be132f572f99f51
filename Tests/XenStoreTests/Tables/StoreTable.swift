/// Requests and what must come of them, the same from every server but where a line says why not.
struct StoreTable: Sendable, CustomStringConvertible {
    let description: String
    let lines: String
    /// Servers that cannot play it at all, and why.
    let exceptions: [ServerName: String]

    init(_ description: String, _ lines: String, except exceptions: [ServerName: String] = [:]) {
        self.description = description
        self.lines = lines
        self.exceptions = exceptions
    }

    static let all = nodes + permissions + watches + domains + transactions

    /// Those that a server can play.
    static func all(for server: ServerName) -> [StoreTable] {
        all.filter { $0.exceptions[server] == nil }
    }
}
