import Foundation

/// The library that stands in for Xen in the daemons' processes: Shim/xen-shim.c, compiled once a process.
enum DaemonShim {
    /// The path of the compiled library. Throws what to do where the compiler or a header is missing.
    static func library() throws -> String { try compiled.get() }

    private static let compiled = Result { try compile() }

    private static func compile() throws -> String {
        let source = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Shim/xen-shim.c").path
        let folder = try TemporaryFolder.make("xen-shim")
        atexit { DaemonShim.removeLibrary() }
        let library = "\(folder)/xen-shim.so"
        let compiler = try Compiler.find()
        try compiler.run(["-O2", "-shared", "-fPIC", "-o", library, source, "-ldl", "-lpthread"])
        return library
    }

    private static func removeLibrary() {
        guard let library = try? compiled.get() else { return }
        try? FileManager.default.removeItem(
            at: URL(filePath: library).deletingLastPathComponent())
    }
}

/// The C compiler of this machine.
package struct Compiler {
    private let path: String

    /// Throws what to do where there is none.
    package static func find() throws -> Compiler {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(
            separator: ":")
        for name in ["cc", "gcc", "clang"] {
            for folder in folders
            where FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") {
                return Compiler(path: "\(folder)/\(name)")
            }
        }
        throw DaemonFailure("no C compiler in PATH: run 'make setup', which installs gcc")
    }

    /// Throws what the compiler said.
    package func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let output = Pipe()
        process.standardError = output
        process.standardOutput = output
        try process.run()
        let said = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw DaemonFailure(
                """
                \(path) \(arguments.joined(separator: " ")) failed; if a header is missing, run 'make setup', \
                which installs Debian's package libxen-dev: \(said)
                """)
        }
    }
}

/// Folders with names so short that a socket fits into them.
package enum TemporaryFolder {
    /// Makes one, which the caller removes.
    package static func make(_ prefix: String) throws -> String {
        // A socket's path has 107 bytes; a folder for temporary files may have a longer name.
        let usual = FileManager.default.temporaryDirectory
        let parent = usual.path.utf8.count <= 50 ? usual : URL(filePath: "/tmp")
        let folder = parent.appending(path: "\(prefix)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.path
    }
}
