import Foundation
import Testing

/// docs/advisories.md names tests that exist, and every test that is named for an advisory.
@Suite("The table of advisories")
struct AdvisoryTests {
    /// The display names of all tests that begin with an advisory's number.
    static let tests: Set<String> = {
        let folder = ReadmeTests.root.appending(path: "Tests")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        var names: Set<String> = []
        for case let file as URL in files ?? .init() where file.pathExtension == "swift" {
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            names.formUnion(text.matches(of: /@Test\(\s*"(XSA-[^"]+)"/).map { String($0.1) })
        }
        return names
    }()

    @Test("names each test of an advisory, and no other")
    func namesEachTest() throws {
        let page = try String(
            contentsOf: ReadmeTests.root.appending(path: "docs/advisories.md"), encoding: .utf8)
        let named = page.matches(of: /`(XSA-[^`]+)`/).map { String($0.1) }
        #expect(!named.isEmpty && Set(named) == Self.tests)
    }
}
