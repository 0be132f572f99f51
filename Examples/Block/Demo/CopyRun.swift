import BlockDevice
import XenBus
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenStoreClient
import XenStoreServer

/// One copy, from the making of the two domains to the proof that nothing leaked.
struct CopyRun {
    let source: String
    let copy: String
    let crashCount: Int

    private static let guest = DomainID(1)

    func run() async throws -> CopyReport {
        let hypervisor = MockHypervisor()
        let server = try StoreServer()
        defer { server.stop() }
        let toolstack = try StoreClient(over: server.connect(as: .dom0))
        let device = DeviceAddress(kind: "vbd", number: 51712, frontendDomain: Self.guest)
        try await device.attach(store: toolstack)

        let process = hypervisor.domain(Self.guest).startProcess(name: "frontend")
        let disk = try BlockFrontend(
            grants: GrantTable(process.grants), events: EventChannels(process.events))
        let guestStore = try StoreClient(over: server.connect(as: Self.guest))
        let driver = FrontendDriver(disk, at: try device.frontendPath, store: guestStore)
        let frontend = Task { try await driver.run() }

        var crasher = BackendCrasher(
            image: source, device: device, server: server, domain: hypervisor.domain(.dom0))
        try await crasher.startFirst()
        let report = try await transfer(from: disk, &crasher)

        driver.close()
        _ = try await frontend.value
        try await crasher.finish()
        await disk.close()
        process.kill()
        try hypervisor.assertCleanedUp()
        return report
    }

    private func transfer(
        from disk: BlockFrontend, _ crasher: inout BackendCrasher
    ) async throws -> CopyReport {
        let file = try SectorFile(creating: copy)
        let total = try await disk.geometry().sectorCount * UInt64(BlockSector.byteCount)
        var bar = ProgressBar(total: total)
        let start = ContinuousClock.now
        var done: UInt64 = 0
        try await disk.readAll { bytes, offset in
            try file.write(bytes, at: offset)
            done += UInt64(bytes.count)
            bar.show(done, note: "epoch \(disk.statistics.epochCount)")
            // Crash n of N comes when n of N + 1 parts are there.
            while crasher.crashCount < crashCount,
                done * UInt64(crashCount + 1) >= total * UInt64(crasher.crashCount + 1)
            {
                try await crasher.crash(under: disk)
                bar.interject(
                    "crash \(crasher.crashCount): the backend was started again, "
                        + "\(disk.statistics.staleCount) stale answers dropped so far")
            }
        }
        let duration = ContinuousClock.now - start
        try file.finish()
        return CopyReport(
            byteCount: total, duration: duration, crashCount: crasher.crashCount,
            frontend: disk.statistics, backend: crasher.statistics)
    }
}
