import ArgumentParser
import BlockDevice
import Glibc
import XenBus
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenStoreClient
import XenStoreServer
import XenSystem

/// Copies a disk image from one domain to another over the mock hypervisor, while the backend crashes.
@main
struct BlockDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "block-demo",
        abstract:
            "Copies a disk image from one domain to another, over rings, through backend crashes.",
        discussion: """
            A frontend in a guest reads the whole device that a backend in dom0 serves from the image, \
            on a hypervisor and a xenstore inside this process. The backend crashes in mid-copy and is \
            started again; each time what is left of it answers late, and the answer is dropped.
            """)

    @Option(help: "The image to copy. Without it, one of random bytes is made.")
    var image: String?

    @Option(help: "The size of the random image in MiB.")
    var size = 256

    @Option(help: "How often the backend crashes.")
    var crashes = 3

    @Option(help: "The folder for the copy and the random image. Both are removed at the end.")
    var folder = ".build/demo"

    func validate() throws {
        guard (1...65_536).contains(size) else { throw ValidationError("--size is 1 to 65536 MiB") }
        guard (0...100).contains(crashes) else { throw ValidationError("--crashes is 0 to 100") }
    }

    func run() async throws {
        do {
            try await copy()
        } catch {
            while DemoFolder.isInterrupted { try pause(.seconds(1)) }
            Terminal.error.line("block-demo: \(error)")
            throw ExitCode.failure
        }
    }

    private func copy() async throws {
        // What the user got wrong is said before anything is made.
        if let image { _ = try DiskImage(path: image, isReadOnly: true) }
        let files = try DemoFolder(below: folder)
        defer { files.remove() }
        let source = image ?? files.image
        if image == nil {
            Terminal.output.line("making an image of \(size) MiB of random bytes")
            try ImageFiles.makeRandom(at: source, byteCount: size << 20)
        }
        let report = try await CopyRun(source: source, copy: files.copy, crashCount: crashes).run()
        let digest = try ImageFiles.sha256(of: source)
        guard try ImageFiles.sha256(of: files.copy) == digest else {
            throw DemoFailure("the copy differs from \(source)")
        }
        report.show()
        let frontend = report.frontend
        Terminal.output.line(
            "demo: \(report.byteCount) bytes, sha256 match, \(frontend.epochCount) epochs, "
                + "\(frontend.staleCount) stale answers dropped")
    }
}

/// A sentence for the user.
struct DemoFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
