import ArgumentParser
import XenBus
import XenCore
import XenSystem

/// A block backend, a block frontend and the toolstack's part for them, on real Xen.
@main
struct XenBlock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xen-block",
        abstract:
            "Serves a disk image to a guest, or copies a disk in a guest, over Xen's blkif protocol.",
        subcommands: [Attach.self, Detach.self, Serve.self, Copy.self])
}

/// The options that name a device.
struct DeviceOptions: ParsableArguments {
    @Option(help: "The guest that has the frontend.")
    var frontendDomain: UInt16

    @Option(help: "The domain that has the backend.")
    var backendDomain: UInt16 = 0

    @Option(help: "The device's number: 51712 is xvda.")
    var device = 51712

    func validate() throws {
        guard max(frontendDomain, backendDomain) < DomainID.firstReserved.rawValue else {
            throw ValidationError("domains are 0 to \(DomainID.firstReserved.rawValue - 1)")
        }
        guard device >= 0 else { throw ValidationError("--device is 0 or more") }
    }

    var address: DeviceAddress {
        DeviceAddress(
            kind: "vbd", number: device, frontendDomain: DomainID(frontendDomain),
            backendDomain: DomainID(backendDomain))
    }
}

/// Runs a command's work, and ends with one clear line if it fails.
func reportingFailure(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch {
        Terminal.error.line("xen-block: \(error)")
        throw ExitCode.failure
    }
}
