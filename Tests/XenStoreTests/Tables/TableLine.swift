import Foundation
import StoreDaemons
import XenCore
import XenStoreWire

/// One line of a table: what is done, and what must come of it.
struct TableLine {
    enum Action {
        case introduce(DomainID)
        case release(DomainID)
        case request(ConnectionName, UInt32, StoreOperation, [UInt8])
    }

    let text: String
    let action: Action
    /// What most servers answer.
    let usual: String
    /// What these answer.
    private(set) var expected: [ServerName: String] = [:]

    /// Who makes the request; nil for what Xen tells.
    var connection: ConnectionName? {
        guard case .request(let connection, _, _, _) = action else { return nil }
        return connection
    }

    var operation: StoreOperation? {
        guard case .request(_, _, let operation, _) = action else { return nil }
        return operation
    }

    static func lines(of table: String) throws -> [TableLine] {
        var lines: [TableLine] = []
        for text in table.split(separator: "\n") where !text.isEmpty {
            if text.hasPrefix("~ ") {
                try lines[lines.count - 1].addDifference(text.dropFirst(2))
            } else {
                lines.append(try TableLine(text))
            }
        }
        return lines
    }

    private init(_ text: Substring) throws {
        let (left, right) = Self.sides(of: text)
        let words = left.split(separator: " ", maxSplits: 3)
        self.text = String(text)
        usual = right
        action = try Self.action(words, String(text))
    }

    private mutating func addDifference(_ text: Substring) throws {
        let (names, rest) = Self.sides(of: text)
        guard let reason = rest.range(of: "# ") else {
            throw DaemonFailure("'\(text)' does not say why")
        }
        for name in names.split(separator: ", ") {
            guard let server = ServerName(rawValue: String(name)) else {
                throw DaemonFailure("'\(name)' is no server")
            }
            expected[server] = rest[..<reason.lowerBound].trimmingCharacters(in: .whitespaces)
        }
    }

    /// What stands before the arrow, and after it.
    static func sides(of text: Substring) -> (left: Substring, right: String) {
        let sides = text.split(separator: " =>", maxSplits: 1)
        return (sides[0], sides.count > 1 ? String(sides[1].drop { $0 == " " }) : "")
    }

    /// Reads what a line does. `line` is for the message about what is none.
    static func action(_ words: [Substring], _ line: String) throws -> Action {
        let isXens = words[0] == "introduce" || words[0] == "release"
        if isXens, words.count == 2, let domain = UInt16(words[1]) {
            return words[0] == "introduce"
                ? .introduce(DomainID(domain)) : .release(DomainID(domain))
        }
        guard words.count > 2, let connection = ConnectionName(words[0]),
            let transaction = UInt32(words[1]),
            let operation = (0...26).map(StoreOperation.init).first(where: {
                $0.description == words[2]
            })
        else { throw DaemonFailure("'\(line)' is no line of a table") }
        let payload = words.count > 3 ? Script.octets(String(words[3])) : []
        return .request(connection, transaction, operation, payload)
    }

    /// The outputs of a line with each connection's together, as `byConnection` has them.
    func ordered(_ outputs: String) -> [String] {
        guard !outputs.isEmpty else { return [] }
        let entries = outputs.components(separatedBy: " ; ").map { text in
            (text: text, connection: Self.receiver(of: text) ?? connection)
        }
        let names = Set(entries.compactMap(\.connection)).sorted()
        return names.flatMap { name in entries.filter { $0.connection == name } }
            .map(\.text)
    }

    private static func receiver(of output: String) -> ConnectionName? {
        guard let end = output.firstIndex(of: "<"), let name = ConnectionName(output[..<end]),
            output[..<end].allSatisfy({ $0.isNumber || $0.isLetter })
        else { return nil }
        return name
    }
}
