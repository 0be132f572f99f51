import Foundation
import Testing

/// The built programs on input that they cannot work with: a clear line, a status, and nothing left behind.
@Suite("The block tools refuse bad input", .timeLimit(.minutes(1)))
struct ToolTests {
    /// A folder with things that are no disk images, which goes with this value.
    final class Folder {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

        init() throws {
            try FileManager.default.createDirectory(
                at: url.appendingPathComponent("directory"), withIntermediateDirectories: true)
            for (name, byteCount) in [("empty", 0), ("odd", 1000), ("image", 1024), ("plain", 3)] {
                try Data(repeating: 7, count: byteCount).write(
                    to: url.appendingPathComponent(name))
            }
            let isMade = unsafe mkfifo(url.appendingPathComponent("fifo").path, 0o600) == 0
            #expect(isMade)
        }

        deinit { try? FileManager.default.removeItem(at: url) }

        /// All that is there.
        var names: [String] {
            get throws { try FileManager.default.subpathsOfDirectory(atPath: url.path) }
        }

        /// All that is there, and what the files have.
        var content: [String: Data?] {
            get throws {
                let names = try names
                return Dictionary(
                    uniqueKeysWithValues: names.map {
                        // A FIFO has nothing to read, and would keep us waiting.
                        (
                            $0,
                            $0 == "fifo"
                                ? nil : try? Data(contentsOf: url.appendingPathComponent($0))
                        )
                    })
            }
        }
    }

    struct Outcome {
        let status: Int32
        let errors: String
    }

    /// Starts a program of this build in the folder.
    func start(
        _ program: String, _ arguments: String, in folder: Folder, store: String = "nowhere",
        errors: Pipe? = nil
    ) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
            .resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent(program)
        process.arguments = arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = folder.url
        process.environment = ["XENSTORED_PATH": store]
        process.standardError = errors ?? FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Runs a program of this build in the folder.
    func run(
        _ program: String, _ arguments: String, in folder: Folder, store: String = "nowhere"
    ) throws -> Outcome {
        let errors = Pipe()
        let process = try start(program, arguments, in: folder, store: store, errors: errors)
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, errors: String(decoding: text, as: UTF8.self))
    }

    func refuses(
        _ program: String, _ arguments: String, saying words: String, store: String = "nowhere"
    ) throws {
        let folder = try Folder()
        let before = try folder.content
        let outcome = try run(program, arguments, in: folder, store: store)
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("\(program): "))
        #expect(outcome.errors.count { $0 == "\n" } == 1)
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(try folder.content == before)
    }

    static let noImages = [
        ("missing", "missing (ENOENT)"), ("empty", "is empty"), ("odd", "not a multiple of 512"),
        ("directory", "directory"), ("fifo", "regular file"),
    ]

    @Test("what is no disk image", arguments: noImages)
    func badImages(name: String, words: String) throws {
        try refuses("block-demo", "--image \(name) --folder made", saying: words)
        try refuses("xen-block", "serve --frontend-domain 1 --image \(name)", saying: words)
        try refuses("xen-block", "copy --input \(name)", saying: words)
        try refuses(
            "xen-block", "serve --frontend-domain 1 --read-only --image \(name)", saying: words)
    }

    @Test(
        "a store that is none",
        arguments: [
            ("nowhere", "does not exist"), ("directory", "directory"), ("plain", "plain file"),
        ])
    func stores(path: String, words: String) throws {
        for arguments in [
            "attach --frontend-domain 1", "detach --frontend-domain 1", "copy --output copy",
            "copy --input image",
        ] {
            try refuses("xen-block", arguments, saying: words, store: path)
        }
    }

    @Test(
        "a machine without Xen",
        .disabled(if: FileManager.default.fileExists(atPath: "/dev/xen/gntdev")))
    func noXen() throws {
        try refuses("xen-block", "serve --frontend-domain 1 --image image", saying: "xen")
    }

    @Test("a folder for the demo that cannot be made")
    func folders() throws {
        try refuses("block-demo", "--folder plain", saying: "plain")
        try refuses("block-demo", "--folder plain/made", saying: "plain/made")
    }

    @Test("the demo leaves what is in its folder alone, and nothing of its own")
    func leavesNothing() throws {
        let folder = try Folder()
        try Data(repeating: 7, count: 1024).write(to: folder.url.appendingPathComponent("copy.img"))
        let before = try folder.content
        for arguments in ["--image image --folder .", "--size 1 --folder ."] {
            let outcome = try run("block-demo", arguments, in: folder)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try folder.content == before)
        }
    }

    @Test("an interrupted demo removes its files", arguments: [SIGTERM, SIGINT, SIGHUP])
    func interrupted(signal: Int32) throws {
        let folder = try Folder()
        let before = try folder.content
        let process = try start("block-demo", "--size 4096 --folder .", in: folder)
        // It makes its folder before it writes the first byte of four gibibytes.
        while try folder.names.count == before.count { usleep(1000) }
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationStatus == 130)
        #expect(try folder.content == before)
    }

    @Test(
        "options out of range",
        arguments: [
            ("block-demo", "--size 0"), ("block-demo", "--size 99999999"),
            ("block-demo", "--crashes -1"), ("xen-block", "copy --output copy --rate 0"),
            ("xen-block", "copy"), ("xen-block", "copy --output copy --input image"),
            ("xen-block", "copy --output copy --rate 9223372036854775807"),
            ("xen-block", "attach --frontend-domain 65536"),
        ])
    func numbers(program: String, arguments: String) throws {
        let folder = try Folder()
        let before = try folder.content
        let outcome = try run(program, arguments, in: folder)
        #expect(outcome.status == 64)
        #expect(outcome.errors.hasPrefix("Error: "))
        #expect(try folder.content == before)
    }

    @Test("a good image is copied, and nothing else is left")
    func good() throws {
        let folder = try Folder()
        let before = try folder.content
        let outcome = try run("block-demo", "--image image --crashes 0 --folder .", in: folder)
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(try folder.content == before)
    }
}
