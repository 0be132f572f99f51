import Foundation
import Testing

/// The README's programs are those of Snippets/, which every build compiles.
@Suite("The README")
struct ReadmeTests {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// What a snippet shows, without the function around it.
    func shown(in snippet: String) throws -> String {
        let text = try String(
            contentsOf: Self.root.appending(path: "Snippets/\(snippet).swift"), encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0.hasSuffix("// snippet.show") })
        let end = try #require(lines.firstIndex { $0.hasSuffix("// snippet.hide") })
        return lines[(start + 1)..<end]
            .map { $0.hasPrefix("    ") ? $0.dropFirst(4) : $0 }
            .joined(separator: "\n")
    }

    @Test("shows the snippets as they are compiled", arguments: ["ShareMemory", "Ring", "Store"])
    func showsSnippet(name: String) throws {
        let readme = try String(
            contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
        let code = try shown(in: name)
        #expect(code.split(separator: "\n").count <= 25)
        #expect(
            readme.contains("```swift\n\(code)\n```"),
            "README.md differs from Snippets/\(name).swift")
    }

    @Test(
        "links to files that exist",
        arguments: ["README.md", "docs/architecture.md", "Lab/README.md"])
    func linksExist(page: String) throws {
        let file = Self.root.appending(path: page)
        let text = try String(contentsOf: file, encoding: .utf8)
        for link in text.matches(of: /\]\(([^)#:]+)\)/) {
            let target = file.deletingLastPathComponent().appending(path: String(link.1))
            #expect(
                FileManager.default.fileExists(atPath: target.path), "\(page) links to \(link.1)")
        }
    }
}
