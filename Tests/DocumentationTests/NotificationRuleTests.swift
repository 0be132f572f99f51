import Foundation
import Testing

/// docs/notification-rule.md names a test for each rule, and no rule's test is missing there.
@Suite("The page on the notification rule")
struct NotificationRuleTests {
    private func text(_ path: String) throws -> String {
        try String(contentsOf: ReadmeTests.root.appending(path: path), encoding: .utf8)
    }

    @Test("names the tests that there are")
    func namesTests() throws {
        let named = try text("docs/notification-rule.md")
            .matches(of: /\| (`\w+`(?:, `\w+`)*) \|\n/)
            .flatMap { $0.1.matches(of: /\w+/).map { String($0.0) } }
        let folder = "Tests/XenRingTests/Interleaving"
        let files = ["MutationTests", "ScribbleTests", "Bytes/ByteMutationTests"]
        let tests = try files.flatMap { file in
            try text("\(folder)/\(file).swift")
                .matches(of: /@Test\([^\n]*\n(?: [^\n]*\n)*? {4}func (\w+)\(/)
                .map { String($0.1) }
        }
        #expect(named.count >= 29)
        #expect(named.sorted() == tests.sorted())
    }
}
