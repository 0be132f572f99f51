import DeviceStage
import BlockDevice
import XenBus
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenRing
import XenStoreClient
import XenStoreServer

/// A frontend that the test plays itself, step by step: honest, odd or hostile.
final class HandmadeFrontend {
    let scene: Scene
    let process: MockProcess
    let store: StoreClient
    let ringShare: GrantShare
    /// Pages for data.
    let dataShare: GrantShare
    let channel: EventChannel
    private var ring: FrontRing<BlockRequest, BlockResponse>

    init(_ scene: Scene, dataAccess: GrantAccess = .readWrite) throws {
        self.scene = scene
        process = scene.hypervisor.domain(Scene.guest).startProcess(name: "handmade frontend")
        store = try scene.client(of: Scene.guest)
        let grants = GrantTable(process.grants)
        ringShare = try grants.share(pageCount: 1, with: .dom0)
        dataShare = try grants.share(pageCount: 12, with: .dom0, access: dataAccess)
        channel = try EventChannels(process.events).bindUnbound(for: .dom0)
        // Safe: the share lives as long as the ring.
        ring = unsafe FrontRing(initializing: ringShare.memory)
    }

    func write(_ key: String, _ value: String) async throws {
        try await store.write(scene.device.frontendPath.appending(StorePath(key)), value)
    }

    func setState(_ state: DeviceState) async throws {
        try await write("state", "\(state.rawValue)")
    }

    /// Publishes the ring, with these nodes otherwise than is right, and says Initialised.
    func publish(_ changes: [String: String] = [:]) async throws {
        try await scene.backendReaches(.initWait)
        let honest = [
            "ring-ref": "\(ringShare.references[0].rawValue)",
            "event-channel": "\(channel.port.rawValue)", "protocol": "x86_64-abi",
        ]
        for (key, value) in honest.merging(changes, uniquingKeysWith: { $1 }) {
            try await write(key, value)
        }
        try await setState(.initialised)
    }

    func connect(_ changes: [String: String] = [:]) async throws {
        try await publish(changes)
        try await scene.backendReaches(.connected)
        try await setState(.connected)
    }

    /// A request for whole pages of the data share.
    func request(
        _ operation: BlockOperation, id: UInt64, sector: UInt64 = 0, pageCount: Int = 1
    ) -> BlockRequest {
        var request = BlockRequest(operation: operation, id: id, sector: sector)
        request.segmentCount = UInt8(pageCount)
        for page in 0..<pageCount {
            request.segments[page] = BlockSegment(
                reference: dataShare.references[page].rawValue, firstSector: 0, lastSector: 7)
        }
        return request
    }

    /// Sends requests, and waits for as many responses.
    func exchange(_ requests: [BlockRequest]) async throws -> [BlockResponse] {
        for request in requests { _ = ring.push(request) }
        if ring.publish() == .required { try channel.notify() }
        var responses: [BlockResponse] = []
        try await eventually("\(requests.count) responses") {
            while let response = try ring.next() { responses.append(response) }
            return responses.count >= requests.count
        }
        return responses
    }

    func status(of request: BlockRequest) async throws -> BlockStatus? {
        try await exchange([request]).first { $0.id == request.id }
            .map { BlockStatus(rawValue: $0.status) }
    }

    /// Writes any number where the ring's producer index is, and rings.
    func claimProducer(_ index: UInt32) throws {
        ringShare.store(
            (0..<4).map { UInt8(truncatingIfNeeded: index >> ($0 * 8)) }, at: 0)
        try channel.notify()
    }

    /// Says goodbye, and lets go of everything.
    func close() async throws {
        try await setState(.closed)
        try await scene.backendReaches(.closed)
        end()
    }

    func end() {
        store.close()
        process.kill()
    }
}
