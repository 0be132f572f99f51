import Foundation
import StoreDaemons
import Testing
import XenCore
import XenMock
import XenStoreServer
import XenStoreWire

/// The ring of the kernel beside the store, which Linux shows in two files.
@Suite(.timeLimit(.minutes(1))) struct KernelRingTests {
    let folder: String
    var page: String { folder + "/xsd_kva" }
    var port: String { folder + "/xsd_port" }

    init() throws {
        folder = try TemporaryFolder.make("kernel")
        try Data(count: 4096).write(to: URL(filePath: page))
    }

    /// Removes the files.
    private func end(_ stage: RingStage, _ kernel: RingGuest...) throws {
        try FileManager.default.removeItem(atPath: folder)
        stage.server.stop()
        for kernel in kernel { try kernel.close() }
        try stage.hypervisor.assertCleanedUp()
    }

    private func show(port text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: port))
    }

    @Test func theKernelIsToldThatItsStoreIsThereAndIsDom0() throws {
        let stage = try RingStage()
        let kernel = try RingGuest(kernelOf: stage.hypervisor.domain(.dom0), page: page)
        try show(port: "\(kernel.port.rawValue)")
        try stage.server.serveKernel(page: page, port: port)
        try kernel.waitForEvent(until: .after(.seconds(20)))
        #expect(kernel.page.features == [.reconnection, .error, .watchDepth, .anyDomain])
        try kernel.send(.write, "/only/dom0/writes/here\0x")
        #expect(try kernel.nextPacket().payload == Reply.acknowledgement)
        #expect(stage.server.connections.map { $0.domain == .dom0 && $0.isRing } == [true])
        // RELEASE is not for dom0.
        try kernel.send(.release, "0\0")
        #expect(try kernel.nextPacket().operation == .error)
        try kernel.send(.read, "/only/dom0/writes/here\0")
        #expect(try kernel.nextPacket().payload == Array("x".utf8))
        try end(stage, kernel)
    }

    /// The kernel outlives its stores.
    @Test func anotherStoreTakesTheRingOver() throws {
        let first = try RingStage()
        let kernel = try RingGuest(kernelOf: first.hypervisor.domain(.dom0), page: page)
        try show(port: "\(kernel.port.rawValue)\n")
        try first.server.serveKernel(page: page, port: port)
        try kernel.send(.write, "/a\0x")
        _ = try kernel.nextPacket()
        first.server.stop()
        let second = try RingStage(on: first.hypervisor)
        try second.server.serveKernel(page: page, port: port)
        try kernel.send(.read, "/a\0")
        #expect(try kernel.nextPacket().payload == StoreErrorName.noEntry.payload)
        try end(second, kernel)
    }

    @Test func aRingThatIsServedAlreadyIsRefused() throws {
        let first = try RingStage()
        let kernel = try RingGuest(kernelOf: first.hypervisor.domain(.dom0), page: page)
        try show(port: "\(kernel.port.rawValue)")
        try first.server.serveKernel(page: page, port: port)
        let error = try #require(throws: StoreError.self) {
            _ = try RingStage(on: first.hypervisor)
        }
        #expect(error.code == .unavailable)
        #expect(error.message.contains("is another store running?"))
        try end(first, kernel)
    }

    @Test(arguments: [
        (String?.none, "xsd_port"), ("", "holds no number"), ("many", "holds no number"),
        ("9999999999", "holds no number"), ("4000", "is another store running?"),
    ])
    func aPortThatCannotBeHad(text: String?, says words: String) throws {
        let stage = try RingStage()
        if let text { try show(port: text) }
        let error = try #require(throws: StoreError.self) {
            try stage.server.serveKernel(page: page, port: port)
        }
        #expect(error.code == .unavailable)
        #expect(error.message.contains(words), "\(error.message)")
        try end(stage)
    }

    @Test func aPageThatCannotBeHad() throws {
        let stage = try RingStage()
        try show(port: "1")
        let error = try #require(throws: StoreError.self) {
            try stage.server.serveKernel(page: folder + "/no", port: port)
        }
        #expect(error.name == .noEntry)
        #expect(error.message.contains("is this dom0"))
        try end(stage)
    }
}
