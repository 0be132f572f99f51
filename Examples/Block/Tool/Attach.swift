import ArgumentParser
import XenBus
import XenStoreClient

/// The toolstack's part: makes a device's directories in the store.
struct Attach: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes the device's directories in the xenstore, for both ends.")

    @OptionGroup var device: DeviceOptions

    func run() async throws {
        try await reportingFailure {
            try await device.address.attach(
                store: try StoreClient.connect(), backendValues: ["mode": "w", "type": "file"])
        }
    }
}

/// The toolstack's part: removes them.
struct Detach: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Removes the device's directories from the xenstore.")

    @OptionGroup var device: DeviceOptions

    func run() async throws {
        try await reportingFailure {
            try await device.address.detach(store: try StoreClient.connect())
        }
    }
}
