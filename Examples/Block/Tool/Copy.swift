import ArgumentParser
import BlockDevice
import XenBus
import XenEvtchn
import XenGrant
import XenStoreClient
import XenSystem

/// The frontend: copies a whole device into a file, or a file onto it, through whatever happens to its backend.
struct Copy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copies a block device of this domain into a file, or a file onto the device.",
        discussion:
            "Run it in the domain that has the frontend, where no kernel driver has the device.")

    @Option(help: "The device's number: 51712 is xvda.")
    var device = 51712

    @Option(help: "The file to make of the device. It gets its name when it is complete.")
    var output: String?

    @Option(help: "The file to write onto the device: its size is a multiple of 512.")
    var input: String?

    @Option(help: "The most MiB a second.")
    var rate: Int?

    private var byteRate: Int? { rate.map { $0 << 20 } }

    func validate() throws {
        guard rate.map((1...1_000_000).contains) ?? true else {
            throw ValidationError("--rate is 1 to 1000000 MiB a second")
        }
        guard (output == nil) != (input == nil) else {
            throw ValidationError("either --output or --input names a file")
        }
    }

    func run() async throws {
        try await reportingFailure {
            let image = try input.map { path throws(StorageError) in
                try DiskImage(path: path, isReadOnly: true)
            }
            let path = try StorePath("device/vbd/\(device)")
            let store = try StoreClient.connect()
            let disk = try BlockFrontend(grants: try openGrants(), events: try openEvents())
            let driver = FrontendDriver(disk, at: path, store: store)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await driver.run() }
                group.addTask {
                    if let image { try await write(image, onto: disk) }
                    if let output { try await copy(disk, into: output) }
                    driver.close()
                }
                // Whichever fails ends the other.
                for try await _ in group {}
            }
            let statistics = disk.statistics
            await disk.close()
            Terminal.output.line(
                "copied in \(statistics.epochCount) epochs, \(statistics.requestCount) requests, "
                    + "\(statistics.reissuedCount) issued again, \(statistics.staleCount) stale answers"
            )
        }
    }

    private func copy(_ disk: BlockFrontend, into output: String) async throws {
        let file = try SectorFile(creating: output)
        var doneCount = 0
        try await disk.readAll(byteRate: byteRate) { bytes, offset in
            try file.write(bytes, at: offset)
            let before = doneCount >> 20
            doneCount += bytes.count
            if doneCount >> 20 > before { Terminal.output.line("copied \(doneCount >> 20) MiB") }
        }
        try file.finish()
    }

    private func write(_ image: DiskImage, onto disk: BlockFrontend) async throws {
        try await disk.writeAll(sectorCount: image.sectorCount, byteRate: byteRate) {
            try image.bytes(at: $0, count: $1)
        }
    }
}
