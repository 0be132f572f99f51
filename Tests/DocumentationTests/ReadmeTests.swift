import Foundation
import Testing

/// The README's programs are those of Snippets/, which every build compiles.
@Suite("The README")
struct ReadmeTests {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test("shows the snippets as they are compiled", arguments: ["ShareMemory", "Ring", "Store"])
    func showsSnippet(name: String) throws {
        let readme = try String(
            contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
        let snippet = try String(
            contentsOf: Self.root.appending(path: "Snippets/\(name).swift"), encoding: .utf8)
        #expect(
            readme.contains("```swift\n\(snippet)```"),
            "README.md differs from Snippets/\(name).swift"
        )
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
