import Foundation
import Testing
import XenStoreServer

/// The built `xs`, with a store of its own to talk to, in a folder that goes with this value.
final class BuiltTool {
    struct Outcome: Equatable {
        var status: Int32
        var output: String
        var errors: String
    }

    let folder: URL
    let server: StoreServer

    var socket: String { folder.appending(path: "socket").path }

    init() throws {
        // A socket's path has 107 bytes; a folder for temporary files may have a longer name.
        folder = URL(filePath: "/tmp").appending(path: "xs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        server = try StoreServer()
        try server.listen(path: socket)
    }

    deinit {
        server.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Runs it to its end.
    func run(
        _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]
    ) throws -> Outcome {
        let process = try prepare(arguments, environment)
        let source = folder.appending(path: ".input")
        try Data(input).write(to: source)
        process.standardInput = try FileHandle(forReadingFrom: source)
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: text(of: ".output"),
            errors: text(of: ".errors"))
    }

    /// Compares what it prints and how it ends.
    func expect(
        _ line: String, input: String = "", _ output: String = "", errors: String = "",
        status: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let found = try run(line.split(separator: " ").map(String.init), input: Array(input.utf8))
        let expected = Outcome(
            status: status, output: output.isEmpty ? "" : output + "\n",
            errors: errors.isEmpty ? "" : "xs: \(errors)\n")
        #expect(found == expected, "xs \(line)", sourceLocation: sourceLocation)
    }

    /// A process that is not started yet. Its streams are files, so that neither can fill up.
    func prepare(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "xs")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ["XENSTORED_PATH": socket, "LANG": "C.UTF-8"].merging(environment) {
            $1
        }
        for name in [".output", ".errors"] { try Data().write(to: folder.appending(path: name)) }
        process.standardOutput = try FileHandle(forWritingTo: folder.appending(path: ".output"))
        process.standardError = try FileHandle(forWritingTo: folder.appending(path: ".errors"))
        return process
    }

    func text(of file: String) -> String {
        (try? Data(contentsOf: folder.appending(path: file))).map {
            String(decoding: $0, as: UTF8.self)
        }
            ?? ""
    }
}
