import Foundation
import StoreDaemons
import Testing
import XenCore
import XenStoreClient
import XenStoreServer

/// Debian's own tools against our server's socket.
@Suite(.timeLimit(.minutes(1))) struct DebianToolTests {
    @Test func theToolsTakeTheServerForXenstored() async throws {
        let socket = try TemporarySocket()
        let server = try StoreServer()
        try server.listen(path: socket.path)
        let tools = DebianTools(socket: socket.path)

        try tools.expect("xenstore-write", ["/a/b", "one", "/a/c", "two"], "")
        try tools.expect("xenstore-read", ["/a/b", "/a/c"], "one\ntwo\n")
        try tools.expect("xenstore-list", ["/a"], "b\nc\n")
        try tools.expect("xenstore-exists", ["/a/b"], "")
        try tools.expect("xenstore-exists", ["/a/missing"], "", status: 1)
        try tools.expect("xenstore-chmod", ["/a/b", "n0", "r3"], "")
        try tools.expect(
            "xenstore-ls", ["-f", "-p", "/a"], "/a/b = \"one\"   (n0,r3)\n/a/c = \"two\"   (n0)\n")
        try tools.expect("xenstore-rm", ["/a/b"], "")
        try tools.expect("xenstore-read", ["/a/b"], nil, status: 1)
        try tools.expect(
            "xenstore-ls", ["-f"],
            "/tool = \"\"\n/tool/xenstored = \"\"\n/a = \"\"\n/a/c = \"two\"\n")
        #expect(try await server.client(0).readString("/a/c") == "two")
    }

    @Test func xenstoreWatchSeesChanges() async throws {
        let socket = try TemporarySocket()
        let server = try StoreServer()
        try server.listen(path: socket.path)
        let client = try server.client(0)
        let watching = try DebianTools(socket: socket.path).start(
            "xenstore-watch", ["-n", "2", "/x"])
        let lines = watching.output
        // The first event comes when the watch is set: only then is there a change to see.
        #expect(try lines.next() == "/x")
        try await client.write("/x/y", "1")
        #expect(try lines.next() == "/x/y")
        watching.process.waitUntilExit()
        #expect(watching.process.terminationStatus == 0)
    }

    @Test func xenstoreControlWorks() async throws {
        let socket = try TemporarySocket()
        let server = try StoreServer()
        try server.listen(path: socket.path)
        let tools = DebianTools(socket: socket.path)
        try tools.expect("xenstore-control", ["check"], "OK\n")
        try tools.expect("xenstore-control", ["print", "hello"], "OK\n")
        try tools.expect("xenstore-control", ["quota", "set", "nodes", "500"], "OK\n")
        try tools.expect("xenstore-control", ["quota"], nil)
        try tools.expect("xenstore-control", ["watches"], "0 watches\n\n")
        try tools.expect("xenstore-control", ["nonsense"], nil, status: 3)
    }

    @Test func aLongDirectoryIsListedInParts() async throws {
        let socket = try TemporarySocket()
        let server = try StoreServer()
        try server.listen(path: socket.path)
        let client = try server.client(0)
        let names = (0..<900).map { "child-\($0)" }
        for name in names { try await client.makeDirectory(try path("/many/\(name)")) }
        try DebianTools(socket: socket.path)
            .expect("xenstore-ls", ["-f", "/many"], names.map { "/many/\($0) = \"\"\n" }.joined())
    }

    @Test func testXenstoreRunsAllItsTests() throws {
        let socket = try TemporarySocket()
        let server = try StoreServer()
        try server.listen(path: socket.path)
        let tools = DebianTools(socket: socket.path)
        try tools.expect("test-xenstore", ["--iterations", "20"], nil)
        try tools.expect("test-xenstore", ["--random", "1"], nil)
    }
}

/// A C program that uses libxenstore, as it would use the C daemon.
@Suite(.timeLimit(.minutes(1))) struct LibxenstoreTests {
    @Test func aProgramTakesTheServerForXenstored() throws {
        let socket = try TemporarySocket()
        let server = try StoreServer()
        try server.listen(path: socket.path)
        try run(against: socket.path)
    }

    /// What it expects is what xenstored does.
    @Test func theProgramIsRight() throws {
        let daemon = try StoreDaemon(.c)
        try run(against: daemon.socket)
        daemon.stop()
    }

    private func run(against socket: String) throws {
        let folder = try TemporaryFolder.make("store-user")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let source = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Programs/store-user.c").path
        let program = "\(folder)/store-user"
        try Compiler.find().run(["-Wall", "-o", program, source, "-lxenstore"])
        try DebianTools(socket: socket).expect(program, [], "")
    }
}
