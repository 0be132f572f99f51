import ArgumentParser
import ToolSupport
import XenCore
import XenRing
import XenSystem

/// Explains one ring in a file.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Says in words what a ring's pages in a file say, and what in them is inconsistent.",
        discussion: """
            The status is 0 if nothing is inconsistent but for notes, 2 if something is, 1 if the file could not \
            be inspected.
            """)

    @Argument(help: "The file: a page that was saved, or a dump of memory.")
    var file: String

    @Option(help: "Where the ring begins in the file, in bytes; 0x for hexadecimal.")
    var offset = "0"

    @Option(help: "The ring's pages, of 4096 bytes each; 1 to 16.")
    var pages = 1

    @Option(
        help:
            "What it is: blk, net-tx, net-rx, console, xenstore, 9pfs, pvcalls, or ring with --slot-size."
    )
    var kind: String

    @Option(
        help:
            "The size of a slot in bytes, if it is not the kind's own (blk of a 32-bit guest: 108)."
    )
    var slotSize: Int?

    @Flag(help: "Print JSON instead of text.")
    var json = false

    func run() throws {
        let inspection: RingInspection
        do {
            inspection = try inspect()
        } catch {
            Terminal.error.line("xen-ring: \(error)")
            throw ExitCode(1)
        }
        Terminal.output.line(json ? inspection.json.description : inspection.description)
        if inspection.findings.contains(where: { $0.severity > .note }) { throw ExitCode(2) }
    }

    private func inspect() throws -> RingInspection {
        let kind = try ringKind()
        guard let start = byteOffset else {
            throw BadInput("--offset \(offset) is not a number of bytes in a file")
        }
        guard (1...16).contains(pages) else { throw BadInput("--pages is 1 to 16, not \(pages)") }
        let bytes = try PageFile(path: file).bytes(at: start, count: pages * Page.byteCount)
        return try RingInspection(bytes, kind: kind)
    }

    /// Nil for what cannot be a place in a file with a ring behind it.
    private var byteOffset: Int? {
        let number = offset.hasPrefix("0x") ? Int(offset.dropFirst(2), radix: 16) : Int(offset)
        return number.flatMap { (0...Int.max - 16 * Page.byteCount).contains($0) ? $0 : nil }
    }

    private func ringKind() throws -> RingKind {
        if let slotSize, !(1...65_536).contains(slotSize) {
            throw BadInput("--slot-size is 1 to 65536 bytes, not \(slotSize)")
        }
        if kind == "ring" {
            guard let slotSize else { throw BadInput("--kind ring needs --slot-size") }
            return .messages(slotByteCount: slotSize)
        }
        guard let known = RingKind.named.first(where: { $0.description == kind }) else {
            let names = RingKind.named.map(\.description).joined(separator: ", ")
            throw BadInput("--kind \(kind) is unknown: there are \(names) and ring")
        }
        guard let slotSize else { return known }
        guard known.slotByteCount != nil else {
            throw BadInput("--kind \(kind) is a ring of bytes: it has no --slot-size")
        }
        return .messages(slotByteCount: slotSize, name: kind)
    }
}

/// What the user got wrong, in a line.
struct BadInput: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
