import XenStoreClient

/// What a transaction shall do, as text: one statement a line.
struct TransactionScript: Hashable, Sendable {
    enum Statement: Hashable, Sendable {
        case read(StorePath)
        case write(StorePath, Octets)
        case makeDirectory(StorePath)
        case remove(StorePath)
        case setPermissions(StorePath, [Permission])
    }

    struct Line: Hashable, Sendable {
        /// From 1.
        let number: Int
        let statement: Statement
    }

    let lines: [Line]

    /// Reads a script. Throws, naming the line, for what is none; nothing has been done then.
    init(_ bytes: [UInt8]) throws(ToolFailure) {
        var lines: [Line] = []
        let pieces = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, piece) in pieces.enumerated() {
            var words = Words(piece)
            guard let verb = words.next(), !verb.hasPrefix("#") else { continue }
            do throws(Flaw) {
                let statement = try Self.statement(verb, &words)
                guard words.isAtEnd else { throw Flaw("'\(verb)' has too many words") }
                lines.append(Line(number: index + 1, statement: statement))
            } catch {
                throw ToolFailure(
                    .badScript, "line \(index + 1), and nothing was changed: \(error.message)")
            }
        }
        self.lines = lines
    }

    private static func statement(_ verb: String, _ words: inout Words) throws(Flaw) -> Statement {
        switch verb {
        case "read": return .read(try path(&words))
        case "write":
            let path = try path(&words)
            guard let value = words.value() else {
                throw Flaw("the value of \(path) begins with a quote and is no quoted string")
            }
            return .write(path, value)
        case "mkdir": return .makeDirectory(try path(&words))
        case "rm": return .remove(try path(&words))
        case "chmod": return .setPermissions(try path(&words), try permissions(&words))
        default:
            throw Flaw("'\(verb)' is none of read, write, mkdir, rm and chmod")
        }
    }

    private static func path(_ words: inout Words) throws(Flaw) -> StorePath {
        guard let word = words.next() else { throw Flaw("a path is missing") }
        do throws(StoreError) { return try StorePath(word) } catch { throw Flaw(error.message) }
    }

    private static func permissions(_ words: inout Words) throws(Flaw) -> [Permission] {
        var entries: [Permission] = []
        while let word = words.next() {
            guard let entry = Permission(bytes: Array(word.utf8)[...]) else {
                throw Flaw("'\(word)' is no permission, such as r3")
            }
            entries.append(entry)
        }
        guard !entries.isEmpty else { throw Flaw("permissions are missing") }
        return entries
    }

    private struct Flaw: Error {
        let message: String
        init(_ message: String) { self.message = message }
    }
}

/// The words of a line.
private struct Words {
    private var rest: ArraySlice<UInt8>

    init(_ line: ArraySlice<UInt8>) {
        rest = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }

    var isAtEnd: Bool { rest.allSatisfy(Self.isBlank) }

    mutating func next() -> String? {
        rest = rest.drop(while: Self.isBlank)
        let word = rest.prefix { !Self.isBlank($0) }
        rest = rest.dropFirst(word.count)
        return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
    }

    /// The rest of the line after one blank, as it is, or unescaped if it begins with a double quote.
    mutating func value() -> Octets? {
        defer { rest = [] }
        let value = rest.dropFirst()
        return value.first == UInt8(ascii: "\"") ? Octets(quoted: value) : Octets(Array(value))
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }
}
