import Foundation
import Testing

/// Runs the programs of Debian's packages xenstore-utils and xen-utils-4.17, and C programs of our own, against a socket.
struct DebianTools {
    let socket: String

    struct Running {
        let process: Process
        let output: LineReader
    }

    /// Runs a tool to its end, and compares its output (unless nil) and exit status.
    func expect(
        _ tool: String, _ arguments: [String], _ output: String?, status: Int32 = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let (process, pipe) = try launch(tool, arguments)
        let found = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let command = Comment(rawValue: "\(tool) \(arguments.joined(separator: " "))")
        if let output { #expect(found == output, command, sourceLocation: sourceLocation) }
        #expect(process.terminationStatus == status, command, sourceLocation: sourceLocation)
    }

    func start(_ tool: String, _ arguments: [String]) throws -> Running {
        let (process, pipe) = try launch(tool, arguments)
        return Running(process: process, output: LineReader(pipe.fileHandleForReading))
    }

    /// Those that are for one version of Xen lie behind scripts of the same name that want Xen to run.
    private static func file(of tool: String) throws -> String {
        let places = tool.hasPrefix("/") ? [""] : ["/usr/lib/xen-4.17/bin/", "/usr/bin/"]
        let found = places.map { $0 + tool }.first(where: FileManager.default.isExecutableFile)
        return try #require(
            found,
            """
            \(tool) is missing: run 'make setup', which installs Debian's packages xenstore-utils and xen-utils-4.17
            """)
    }

    private func launch(_ tool: String, _ arguments: [String]) throws -> (Process, Pipe) {
        let file = try Self.file(of: tool)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: file)
        process.arguments = arguments
        process.environment = ["XENSTORED_PATH": socket]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        return (process, pipe)
    }
}

/// The lines of a program that is still running.
final class LineReader {
    private let handle: FileHandle
    private var buffer = Data()

    init(_ handle: FileHandle) { self.handle = handle }

    /// Blocks until there is a line; nil at the end.
    func next() throws -> String? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                defer { buffer = buffer[(end + 1)...] }
                return String(decoding: buffer[..<end], as: UTF8.self)
            }
            let data = handle.availableData
            if data.isEmpty { return nil }
            buffer.append(data)
        }
    }
}

/// A path for a socket in a folder of its own, which goes with this value.
final class TemporarySocket {
    let path: String
    private let folder: URL

    init() throws {
        // A socket's path has 107 bytes; a folder for temporary files may have a longer name.
        let usual = FileManager.default.temporaryDirectory
        let parent = usual.path.utf8.count <= 50 ? usual : URL(filePath: "/tmp")
        folder = parent.appendingPathComponent("xenstore-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.appendingPathComponent("socket").path
    }

    deinit { try? FileManager.default.removeItem(at: folder) }
}
