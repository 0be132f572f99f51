import Foundation
import Testing

/// docs/store-differences.md names tests that exist.
@Suite("The table of the store's differences")
struct StoreDifferenceTests {
    /// All functions in the tests.
    private static let functions: Set<String> = {
        let folder = ReadmeTests.root.appending(path: "Tests")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        var names: Set<String> = []
        for case let file as URL in files ?? .init() where file.pathExtension == "swift" {
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            names.formUnion(text.matches(of: /func (\w+)\(\)/).map { String($0.1) })
        }
        return names
    }()

    @Test("names a test in each line, and each is there")
    func namesTestsThatExist() throws {
        let page = try String(
            contentsOf: ReadmeTests.root.appending(path: "docs/store-differences.md"),
            encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("|") }.dropFirst(2)
        #expect(rows.count > 10)
        for row in rows {
            let tests = row.split(separator: "|").last ?? ""
            let functions = tests.matches(of: /`(\w+)\(\)`/).map { String($0.1) }
            let advisories = tests.matches(of: /`(XSA-[^`]+)`/).map { String($0.1) }
            let isInTable = tests.contains("`StoreTable`")
            #expect(isInTable || !functions.isEmpty || !advisories.isEmpty, "\(row)")
            #expect(Self.functions.isSuperset(of: functions), "\(row)")
            #expect(AdvisoryTests.tests.isSuperset(of: advisories), "\(row)")
        }
    }
}
