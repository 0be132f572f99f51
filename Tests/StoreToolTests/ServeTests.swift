import Foundation
import Testing
import XenStoreClient
import XenStoreServer

/// `xs serve`, as whoever runs a daemon sees it.
@Suite("xs serve", .timeLimit(.minutes(1)))
struct ServeTests {
    /// Starts it and waits until it says that it is ready.
    func start(
        _ tool: BuiltTool, _ options: [String] = [], descriptorLimit: Int? = nil
    ) async throws -> Process {
        let process = try tool.prepare(
            ["serve", "--socket", tool.folder.appending(path: "served").path] + options)
        if let descriptorLimit, let program = process.executableURL {
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments =
                ["-c", #"ulimit -n \#(descriptorLimit); exec "$0" "$@""#, program.path]
                + (process.arguments ?? [])
        }
        try process.run()
        while !tool.text(of: ".errors").contains("ready"), process.isRunning {
            try await Task.sleep(for: .milliseconds(5))
        }
        return process
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
    func servesUntilASignal(_ signal: Int32) async throws {
        let tool = try BuiltTool()
        let pidFile = tool.folder.appending(path: "pid").path
        let process = try await start(tool, ["--pid-file", pidFile])
        let served = tool.folder.appending(path: "served").path
        #expect(tool.text(of: "pid") == "\(process.processIdentifier)\n")
        let mode =
            try FileManager.default.attributesOfItem(atPath: served)[.posixPermissions] as? Int
        #expect(mode == 0o600)

        let store = try StoreClient.connect(path: served)
        defer { store.close() }
        try await store.write("/a", "1")
        #expect(try await store.readString("/a") == "1")

        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
        #expect(tool.text(of: ".errors").contains("told to stop"))
        for file in [served, pidFile] { #expect(!FileManager.default.fileExists(atPath: file)) }
    }

    @Test func logsWhatTheServerNotices() async throws {
        let tool = try BuiltTool()
        let process = try await start(tool)
        let store = try StoreClient.connect(path: tool.folder.appending(path: "served").path)
        defer { store.close() }
        let words = ["print", "hello\u{1B}"].map { Array($0.utf8) }
        _ = try await store.perform(.control(words))
        while !tool.text(of: ".errors").contains("hello\\x1b"), process.isRunning {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(tool.text(of: ".errors").contains("info xs: [xs] "))
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test func leavesALiveServerAlone() async throws {
        let tool = try BuiltTool()
        try tool.expect(
            "serve --socket \(tool.socket)",
            errors:
                "cannot make socket \(tool.socket): another server is listening there; stop it, or choose another path",
            status: 73)
        try tool.expect("ls --depth 0", "/")
    }

    @Test func takesADeadServersSocket() async throws {
        let tool = try BuiltTool()
        let dead = try await start(tool)
        kill(dead.processIdentifier, SIGKILL)
        dead.waitUntilExit()
        #expect(FileManager.default.fileExists(atPath: tool.folder.appending(path: "served").path))
        let process = try await start(tool)
        let store = try StoreClient.connect(path: tool.folder.appending(path: "served").path)
        #expect(try await store.exists("/tool"))
        store.close()
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test(arguments: [
        (
            "--socket none/served", 73,
            "cannot make socket none/served: its folder does not exist; make it"
        ),
        ("--socket served --pid-file none/pid", 73, "cannot write the pid file none/pid: ENOENT"),
    ])
    func saysWhatIsMissing(_ options: String, _ status: Int32, _ message: String) throws {
        let tool = try BuiltTool()
        try tool.expect("serve \(options)", errors: message, status: status)
        #expect(!FileManager.default.fileExists(atPath: tool.folder.appending(path: "served").path))
    }

    /// Tests run where there is no Xen.
    @Test func saysWhatItTakesToBeAMachinesStore() async throws {
        let tool = try BuiltTool()
        let process = try await start(tool, ["--xen"])
        process.waitUntilExit()
        #expect(process.terminationStatus == 73)
        #expect(tool.text(of: ".errors").contains("guests cannot be served"))
        let socket = tool.folder.appending(path: "served").path
        #expect(!FileManager.default.fileExists(atPath: socket))
    }

    @Test func goesOnWhenThereAreNoDescriptorsLeft() async throws {
        let tool = try BuiltTool()
        let process = try await start(tool, descriptorLimit: 32)
        let path = tool.folder.appending(path: "served").path
        let first = try BlockingStoreClient.connect(path: path, requestTimeout: .seconds(20))
        try first.write("/a", "1")
        var others: [BlockingStoreClient] = []
        while !tool.text(of: ".errors").contains("no new connections for a moment") {
            guard others.count < 100 else { continue }
            others.append(try BlockingStoreClient.connect(path: path))
        }
        #expect(try first.readString("/a") == "1")
        others = []
        let last = try BlockingStoreClient.connect(path: path, requestTimeout: .seconds(20))
        #expect(try last.readString("/a") == "1")
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test func tellsTheServiceManager() async throws {
        let tool = try BuiltTool()
        // An address of Linux's abstract space, which needs no file.
        let manager = try ServiceManagerStub(name: "xs-\(UUID().uuidString)")
        let process = try tool.prepare(
            ["serve", "--socket", "served", "--log-level", "error"],
            ["NOTIFY_SOCKET": "@" + manager.name])
        try process.run()
        #expect(manager.next() == "READY=1")
        kill(process.processIdentifier, SIGTERM)
        #expect(manager.next() == "STOPPING=1")
        process.waitUntilExit()
        #expect(process.terminationStatus == 0 && tool.text(of: ".errors").isEmpty)
    }

    @Test(arguments: ["--log-level loud", "--nodes -1", "--output-bytes 5"])
    func refusesWrongOptions(_ options: String) throws {
        let tool = try BuiltTool()
        let outcome = try tool.run(
            ["serve", "--socket", "served"] + options.split(separator: " ").map(String.init))
        #expect(outcome.status == 64 && outcome.errors.hasPrefix("xs: "))
    }
}

/// The datagram socket on which a service manager listens.
final class ServiceManagerStub {
    let name: String
    private let descriptor: Int32

    init(name: String) throws {
        self.name = name
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // Safe: the name is shorter than the field, and the kernel reads as much as it is told.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
            unsafe field.baseAddress?.advanced(by: 1).copyMemory(
                from: Array(name.utf8), byteCount: name.utf8.count)
        }
        let length = MemoryLayout<sa_family_t>.size + 1 + name.utf8.count
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(length))
            }
        }
        try #require(status == 0, "bind: errno \(errno)")
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        // Safe: the private structure that the kernel reads.
        _ = unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// The next datagram; empty when none came in 30 s.
    func next() -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        // Safe: the kernel writes within the buffer's own count.
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
}
