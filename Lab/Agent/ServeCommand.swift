import ArgumentParser
import BlockDevice
import XenBus
import XenCore
import XenGrant
import XenStoreClient
import XenSystem

/// `xen-lab-agent serve`: a block backend that stays when its device has ended, so that what it might still hold can
/// be seen; a process that ends has its pages and ports taken by the kernel.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves a disk image, says why that ended, and stays.")

    @Option var image: String
    @Option var frontendDomain: UInt16
    @Option var device: Int

    func run() async throws {
        let handles = try Handles()
        let backend = BlockBackend(
            storage: try DiskImage(path: image, isReadOnly: false), grants: handles.grants,
            events: handles.events)
        let address = DeviceAddress(
            kind: "vbd", number: device, frontendDomain: DomainID(frontendDomain))
        let driver = BackendDriver(
            backend, at: try address.backendPath, store: try StoreClient.connect())
        let end = try await driver.run()
        let accounts = handles.grants.accounts
        Terminal.output.line(
            "ended: \(end); \(backend.statistics.requestCount) requests, \(accounts.total)")
        try await Task.sleep(for: .seconds(600))
    }
}
