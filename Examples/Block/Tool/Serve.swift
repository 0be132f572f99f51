import ArgumentParser
import BlockDevice
import XenBus
import XenEvtchn
import XenGrant
import XenStoreClient
import XenSystem

/// The backend: serves an image until SIGTERM, or until the device is unplugged.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves a disk image file to a guest's block frontend.")

    @OptionGroup var device: DeviceOptions

    @Option(help: "The image: a file whose size is a multiple of 512.")
    var image: String

    @Flag(help: "Refuse writes.")
    var readOnly = false

    @Flag(help: "Print a line for each MiB that was read or written.")
    var progress = false

    func run() async throws {
        try await reportingFailure {
            // What the user got wrong is said before anything is touched.
            let disk = try DiskImage(path: image, isReadOnly: readOnly)
            let grants = try openGrants()
            let backend = BlockBackend(
                storage: disk, grants: grants, events: try openEvents(),
                log: { Terminal.output.line("xen-block: \($0)") })
            let driver = BackendDriver(
                backend, at: try device.address.backendPath, store: try StoreClient.connect())
            try TerminationSignals.onFirst { driver.close() }
            Terminal.output.line("serving \(image), \(disk.sectorCount) sectors")
            let reporting = Task { try await report(backend) }
            defer { reporting.cancel() }
            let end = try await driver.run()
            Terminal.output.line("\(end) after \(backend.statistics.requestCount) requests")
        }
    }

    private func report(_ backend: BlockBackend) async throws {
        var reported: UInt64 = 0
        while progress {
            try await Task.sleep(for: .milliseconds(20))
            let done = backend.statistics.byteCount >> 20
            if done > reported { Terminal.output.line("served \(done) MiB") }
            reported = done
        }
    }
}
