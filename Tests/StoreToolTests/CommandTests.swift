import Foundation
import Testing
import XenCore
import XenStoreClient
import XenStoreServer

/// The built `xs` against a server in this process.
@Suite("xs", .timeLimit(.minutes(1)))
struct CommandTests {
    @Test func writesAndReads() throws {
        let tool = try BuiltTool()
        try tool.expect("write /a/b 1 /a/c 2")
        try tool.expect("read /a/b /a/c /a", "1\n2\n")
        try tool.expect("read --json /a/b", #"{"path":"/a/b","value":"1"}"#)
        try tool.expect("write /a/b -", input: "from\nstdin\n")
        try tool.expect("read /a/b", "from\nstdin\n")
        try tool.expect("write -- /a/b -5")
        try tool.expect("read /a/b", "-5")
        #expect(try tool.run(["write", "/a/raw", "-"], input: [0, 0xFF, 0x0A]).status == 0)
        try tool.expect("read --json /a/raw", #"{"path":"/a/raw","base64":"AP8K"}"#)
        let raw = try tool.run(["read", "--raw", "/a/b", "/a/c"])
        #expect(raw == BuiltTool.Outcome(status: 0, output: "-52", errors: ""))
    }

    @Test func makesAndRemoves() throws {
        let tool = try BuiltTool()
        try tool.expect("mkdir /a/b /c")
        try tool.expect("exists /a /a/b /c")
        try tool.expect("exists /a /none", status: 1)
        try tool.expect(
            "exists --json /a /none",
            #"{"path":"/a","exists":true}"# + "\n" + #"{"path":"/none","exists":false}"#,
            status: 1)
        try tool.expect("rm /c /none", errors: "RM /none: no such node (ENOENT)", status: 1)
        try tool.expect("exists /c")
        try tool.expect("rm -f /c /none /none/deep")
        try tool.expect("exists /c", status: 1)
    }

    @Test func listsAndChangesPermissions() throws {
        let tool = try BuiltTool()
        try tool.expect("write /d/name guest /d/x/y 1")
        try tool.expect("chmod /d/name n3 r0 b7")
        try tool.expect(
            "ls -p /d",
            "/d  (n0)\n├── name = \"guest\"  (n3,r0,b7)\n└── x  (n0)\n    └── y = \"1\"  (n0)")
        try tool.expect("chmod -r /d/x r5")
        try tool.expect("ls -pf /d/x", "/d/x  (r5)\n/d/x/y = \"1\"  (r5)")
        try tool.expect("ls --depth 0 /d", "/d")
        try tool.expect("ls -d 1 /d", "/d\n├── name = \"guest\"\n└── x")
        let coloured = try tool.run(
            ["ls", "--color", "always", "/d/x"], environment: ["LANG": "C"])
        #expect(
            coloured.output
                == "\u{1B}[1;34m/d/x\u{1B}[0m\n\u{1B}[2m`-- \u{1B}[0my = \u{1B}[32m\"1\"\u{1B}[0m\n"
        )
        let json = try tool.run(["ls", "--json", "/d/x"])
        let object =
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect(object?["path"] as? String == "/d/x")
        #expect((object?["children"] as? [[String: Any]])?.first?["value"] as? String == "1")
    }

    @Test func longListsAreWhole() throws {
        let tool = try BuiltTool()
        let script = (0..<1500).map { "mkdir /many/child-\($0)" }.joined(separator: "\n")
        try tool.expect("transaction", input: script)
        let lines = try tool.run(["ls", "-f", "/many"]).output.split(separator: "\n")
        #expect(lines == ["/many"] + (0..<1500).map { "/many/child-\($0)" })
    }

    @Test func nodesOfAnyNameAreShownAndChanged() throws {
        let tool = try BuiltTool()
        let long = String(repeating: "n", count: 2049)
        try tool.expect("rm /tool")
        try tool.expect("write /@odd/-x 1 /\(long) 2")
        try tool.expect("ls -f", "/\n/@odd\n/@odd/-x = \"1\"\n/\(long) = \"2\"")
        try tool.expect("chmod -r / r5")
        try tool.expect("ls -pf /\(long)", "/\(long) = \"2\"  (r5)")
    }

    @Test func transactsAllOrNothing() throws {
        let tool = try BuiltTool()
        let script =
            "# a comment\nwrite /t/a 1\nread /t/a\nwrite /t/b \"x\\n\"\nmkdir /t/c\nchmod /t/c r5\nrm /t/a\nread /t/b\n"
        try tool.expect("transaction", input: script, "1\nx\n")
        try tool.expect("ls -p /t", "/t  (n0)\n├── b = \"x\\n\"  (n0)\n└── c  (r5)")
        try tool.expect(
            "transaction --json -", input: "read /t/b\nread /t/c\n",
            #"[{"path":"/t/b","value":"x\u000a"},{"path":"/t/c","value":""}]"#)
        try tool.expect(
            "transaction", input: "write /t/z 1\n\nread /none\n",
            errors: "line 3, and nothing was changed: READ /none: no such node (ENOENT)", status: 1)
        try tool.expect("exists /t/z", status: 1)
        try tool.expect(
            "transaction", input: "write /t/z 1\nwirte /t/z 2\n",
            errors:
                "line 2, and nothing was changed: 'wirte' is none of read, write, mkdir, rm and chmod",
            status: 65)
        try Data("write /t/file 1\n".utf8).write(to: tool.folder.appending(path: "script"))
        try tool.expect("transaction script")
        try tool.expect("read /t/file", "1")
        try tool.expect("transaction missing", errors: "cannot open missing: ENOENT", status: 66)
    }

    @Test func watches() async throws {
        let tool = try BuiltTool()
        try tool.expect("watch -n 1 /w", "/w")
        try tool.expect("watch --timeout 0.05 --json /w", #"{"path":"/w"}"#)
        let process = try tool.prepare(["watch", "-n", "3", "--values", "--timeout", "30", "/w"])
        try process.run()
        let store = try StoreClient(over: try tool.server.connect(as: .dom0))
        defer { store.close() }
        while tool.text(of: ".output").isEmpty, process.isRunning {
            try await Task.sleep(for: .milliseconds(5))
        }
        try await store.write("/w/x", "1")
        while tool.text(of: ".output").split(separator: "\n").count < 2, process.isRunning {
            try await Task.sleep(for: .milliseconds(5))
        }
        try await store.remove("/w/x")
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(tool.text(of: ".output") == "/w [gone]\n/w/x = \"1\"\n/w/x [gone]\n")
        try tool.expect(
            "watch -n 2 --timeout 0.05 /w", "/w", errors: "no event came before the deadline",
            status: 75)
    }

    @Test func watchesNoDeeperThanItIsTold() async throws {
        let tool = try BuiltTool()
        let process = try tool.prepare(["watch", "-n", "3", "-d", "1", "--timeout", "30", "/w"])
        try process.run()
        let store = try StoreClient(over: try tool.server.connect(as: .dom0))
        defer { store.close() }
        while tool.text(of: ".output").isEmpty, process.isRunning {
            try await Task.sleep(for: .milliseconds(5))
        }
        try await store.write("/w/x/deep", "1")
        try await store.write("/w/x", "1")
        try await store.write("/w/x/deep", "2")
        try await store.write("/w", "1")
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(tool.text(of: ".output") == "/w\n/w/x\n/w\n")
    }

    @Test func saysWhatIsWrong() throws {
        let tool = try BuiltTool()
        try tool.expect("read /none", errors: "READ /none: no such node (ENOENT)", status: 1)
        try tool.expect(
            "read --socket /none /a",
            errors:
                "cannot reach the store at /none: it does not exist; is the server running? (ENOENT)",
            status: 69)
        try tool.expect(
            "rm /", errors: "RM /: malformed, or impossible for this node or domain (EINVAL)",
            status: 2)
        for line in [
            "read", "read /a//b", "read --frob /a", "write /a", "write /a - /b -", "chmod /a x3",
            "ls --depth -1", "read --timeout 0 /a", "watch -n 0 /a", "read --raw --json /a", "frob",
        ] {
            let outcome = try tool.run(line.split(separator: " ").map(String.init))
            #expect(outcome.status == 64 && outcome.output.isEmpty, "xs \(line)")
            #expect(outcome.errors.hasPrefix("xs: "), "xs \(line): \(outcome.errors)")
        }
        let help = try tool.run(["--help"])
        #expect(help.status == 0 && help.output.contains("transaction") && help.errors.isEmpty)
    }

    @Test func controlsTheServer() throws {
        let tool = try BuiltTool()
        try tool.expect("control check", "OK")
        try tool.expect("control --json check", #"{"value":"OK"}"#)
        let help = try tool.run(["control", "help"])
        #expect(
            help.status == 0 && help.output.contains("memreport") && help.output.hasSuffix("\n"))
        try tool.expect(
            "control frob",
            errors: "CONTROL: malformed, or impossible for this node or domain (EINVAL)", status: 2)
    }

    @Test func saysThatOutputFailed() throws {
        let tool = try BuiltTool()
        let process = try tool.prepare(["ls"])
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: "/dev/full"))
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 74)
        #expect(tool.text(of: ".errors") == "xs: write: ENOSPC\n")
    }
}
