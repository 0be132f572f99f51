import Foundation
import Testing
import XenCore
import XenRing

/// The built xen-ring on files, good and bad.
@Suite("xen-ring", .timeLimit(.minutes(1)))
struct InspectionToolTests {
    /// A folder with files, which goes with this value.
    final class Folder {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

        init(_ files: [String: [UInt8]] = [:]) throws {
            try FileManager.default.createDirectory(
                at: url.appendingPathComponent("directory"), withIntermediateDirectories: true)
            for (name, bytes) in files {
                try Data(bytes).write(to: url.appendingPathComponent(name))
            }
        }

        deinit { try? FileManager.default.removeItem(at: url) }
    }

    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    func inspect(_ arguments: String, in folder: Folder) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
            .resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("xen-ring")
        process.arguments = ["inspect"] + arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = folder.url
        // Files, so that neither stream can fill up.
        let (output, errors) = (
            folder.url.appendingPathComponent(".output"),
            folder.url.appendingPathComponent(".errors")
        )
        for file in [output, errors] { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus,
            output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }

    /// Seven requests of which four are answered, and a back whose event index went astray.
    func page() throws -> [UInt8] {
        let memory = TestMemory()
        var front = FrontRing<Wide<14>, Wide<2>>(initializing: memory.view)
        var back = BackRing<Wide<14>, Wide<2>>(attachingTo: memory.view)
        for number: UInt64 in 1...7 { #expect(front.push(Wide(number)) == true) }
        _ = front.publish()
        try back.drain { _ in }
        for number: UInt64 in 1...4 { back.push(Wide(number)) }
        _ = back.publish()
        memory[4] = 1000
        return memory.bytes
    }

    @Test("shows what docs/inspecting-rings.md shows")
    func documentedExample() throws {
        let folder = try Folder(["dump": [UInt8](repeating: 0xEE, count: 4096) + (try page())])
        let outcome = try inspect("dump --offset 0x1000 --kind blk", in: folder)
        #expect(outcome.status == 2 && outcome.errors.isEmpty)
        let document = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../docs/inspecting-rings.md")
        let text = try String(contentsOf: document, encoding: .utf8)
        let shown = "$ xen-ring inspect dump --offset 0x1000 --kind blk\n\(outcome.output)```"
        #expect(text.contains(shown), "\(shown)")
    }

    @Test("shows the documented 9pfs page")
    func documentedFlexExample() throws {
        let page = TestMemory()
        let data = TestMemory(byteCount: 4 * Page.byteCount)
        let references = (0..<4).map { GrantReference(UInt32(900 + $0)) }
        let interface = FlexInterface(
            initializing: page.view, as: .ninePFS, references: references)
        var front = interface.front(over: data.view)
        let request = [UInt8](repeating: 1, count: 8192)
        _ = try front.writer.write(request.span)
        page[4] = 8200
        let folder = try Folder(["interface": page.bytes])
        let outcome = try inspect("interface --kind 9pfs", in: folder)
        #expect(outcome.status == 2)
        let document = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../docs/inspecting-rings.md")
        let text = try String(contentsOf: document, encoding: .utf8)
        let shown = "$ xen-ring inspect interface --kind 9pfs\n\(outcome.output)```"
        #expect(text.contains(shown), "\(shown)")

        let json = try inspect("interface --kind 9pfs --json", in: folder)
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8))
        let members = try #require(object as? [String: Any])
        #expect(members["order"] as? Int == 2)
        #expect(members["references"] as? [Int] == [900, 901, 902, 903])
    }

    @Test("prints JSON that others can read")
    func json() throws {
        let folder = try Folder(["page": try page(), "zero": [UInt8](repeating: 0, count: 4096)])
        let outcome = try inspect("page --kind blk --json", in: folder)
        let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        let members = try #require(object as? [String: Any])
        #expect(members["unansweredCount"] as? Int == 3)
        let findings = try #require(members["findings"] as? [[String: String]])
        #expect(findings.map { $0["code"] } == ["unreachable event index"])

        let store = try inspect("zero --kind xenstore --json", in: folder)
        #expect(store.status == 0)
        #expect(throws: Never.self) {
            try JSONSerialization.jsonObject(with: Data(store.output.utf8))
        }
    }

    @Test(
        "takes each kind",
        arguments: [
            ("blk", 2), ("blk --slot-size 108", 2), ("net-tx", 2), ("net-rx", 2), ("console", 0),
            ("xenstore", 0), ("9pfs", 2), ("pvcalls", 2), ("ring --slot-size 40", 2),
            ("ring --slot-size 40 --pages 2", 2),
        ])
    func kinds(arguments: String, status: Int32) throws {
        let folder = try Folder(["zero": [UInt8](repeating: 0, count: 8192)])
        let outcome = try inspect("zero --kind \(arguments)", in: folder)
        #expect(outcome.status == status && outcome.errors.isEmpty)
        #expect(outcome.output.contains(status == 0 ? "nothing is inconsistent" : "All bytes"))
    }

    @Test(
        "refuses bad input in a line",
        arguments: [
            ("missing --kind blk", "ENOENT"), ("directory --kind blk", "EISDIR"),
            ("short --kind blk", "short ends too early"),
            ("empty --kind xenstore", "0 are there"),
            ("page --kind blk --offset 1", "4095 are there"),
            ("page --kind blk --offset 9223372036854775807", "--offset"),
            ("page --kind blk --offset 9223372036854710271", "0 are there"),
            ("page --kind blk --offset=-1", "--offset"), ("page --kind blk --offset 0xg", "0xg"),
            ("page --kind blk --pages 2", "8192 bytes"), ("page --kind blk --pages 0", "1 to 16"),
            ("page --kind blk --pages 17", "1 to 16"), ("page --kind floppy", "floppy is unknown"),
            ("page --kind ring", "needs --slot-size"),
            ("page --kind ring --slot-size 0", "1 to 65536"),
            ("page --kind ring --slot-size 4033", "4096 bytes are too few"),
            ("page --kind xenstore --slot-size 8", "ring of bytes"),
            ("page --kind pvcalls --slot-size 8", "ring of bytes"),
        ])
    func badInput(arguments: String, words: String) throws {
        let folder = try Folder([
            "short": [1, 2, 3], "empty": [], "page": [UInt8](repeating: 0, count: 4096),
        ])
        let outcome = try inspect(arguments, in: folder)
        #expect(outcome.status == 1 && outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("xen-ring: "))
        #expect(outcome.errors.count { $0 == "\n" } == 1)
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
}
