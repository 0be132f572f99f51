import Foundation
import Testing

/// The programs in the documents are those of Snippets/, which every build compiles.
@Suite("The documents")
struct ReadmeTests {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test(
        "show the snippets as they are compiled",
        arguments: [
            ("README.md", "ShareMemory"), ("README.md", "Ring"), ("README.md", "Store"),
            ("docs/simulation.md", "Simulate"),
        ])
    func showsSnippet(page: String, name: String) throws {
        let text = try String(contentsOf: Self.root.appending(path: page), encoding: .utf8)
        let snippet = try String(
            contentsOf: Self.root.appending(path: "Snippets/\(name).swift"), encoding: .utf8)
        #expect(
            text.contains("```swift\n\(snippet)```"),
            "\(page) differs from Snippets/\(name).swift"
        )
    }

    @Test(
        "link to files that exist",
        arguments: try ["", "docs/", "Lab/"].flatMap { folder in
            try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)
                .filter { $0.hasSuffix(".md") }.map { folder + $0 }
        })
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
