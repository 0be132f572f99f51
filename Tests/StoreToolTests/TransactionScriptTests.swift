import Testing
import XenCore
import XenStoreClient

@testable import xs

/// Scripts of transactions, good and bad.
@Suite struct TransactionScriptTests {
    @Test(
        arguments: [
            ("read /a", .read("/a")), ("  read\t/a  ", .read("/a")),
            ("mkdir data/x", .makeDirectory("data/x")),
            ("rm /a\r", .remove("/a")), ("write /a b", .write("/a", octets("b"))),
            ("write /a", .write("/a", octets(""))),
            ("write /a  two  blanks ", .write("/a", octets(" two  blanks "))),
            (#"write /a "b\x00\n\"""#, .write("/a", octets("b\0\n\""))),
            ("write /a b\"", .write("/a", octets("b\""))),
            (
                "chmod /a n3 r0",
                .setPermissions(
                    "/a", [Permission(.none, for: DomainID(3)), Permission(.read, for: .dom0)])
            ),
        ] as [(String, TransactionScript.Statement)])
    func statements(_ text: String, _ statement: TransactionScript.Statement) throws {
        let script = try TransactionScript(Array(text.utf8))
        #expect(script.lines == [TransactionScript.Line(number: 1, statement: statement)])
    }

    @Test func commentsAndEmptyLinesCountAsLines() throws {
        let script = try TransactionScript(Array("# first\n\n   \nread /a\n#\nread /b".utf8))
        #expect(script.lines.map(\.number) == [4, 6])
        #expect(try TransactionScript([]).lines.isEmpty)
    }

    @Test(arguments: [
        ("frob /a", "'frob' is none of read, write, mkdir, rm and chmod"),
        ("read", "a path is missing"),
        ("read /a /b", "'read' has too many words"),
        ("rm /a//b", "'/a//b' has an empty name in it ('//')"),
        ("write", "a path is missing"), ("chmod /a", "permissions are missing"),
        ("chmod /a r3 x4", "'x4' is no permission, such as r3"),
        ("chmod /a r65536", "'r65536' is no permission, such as r3"),
        (#"write /a "b"#, "the value of /a begins with a quote and is no quoted string"),
        (#"write /a "b" c"#, "the value of /a begins with a quote and is no quoted string"),
        ("read /\u{FC}", "'/\u{FC}' has a character outside [A-Za-z0-9-/_@]"),
    ])
    func flaws(_ line: String, _ message: String) {
        #expect(throws: ToolFailure(.badScript, "line 2, and nothing was changed: \(message)")) {
            try TransactionScript(Array("read /a\n\(line)\nread /b".utf8))
        }
    }

    private static func octets(_ text: String) -> Octets { Octets(Array(text.utf8)) }
}
