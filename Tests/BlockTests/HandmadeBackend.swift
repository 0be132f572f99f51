import DeviceStage
import BlockDevice
import Testing
import XenBus
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenRing
import XenStoreClient
import XenStoreServer

/// A backend that the test plays itself, step by step: honest, odd or hostile.
final class HandmadeBackend {
    let scene: Scene
    let process: MockProcess
    let store: StoreClient
    private let grants: GrantTable
    private let events: EventChannels
    private var ring: BackRing<BlockRequest, BlockResponse>?
    private var mapping: GrantMapping?
    private var channel: EventChannel?

    init(_ scene: Scene) throws {
        self.scene = scene
        process = scene.hypervisor.domain(.dom0).startProcess(name: "handmade backend")
        store = try scene.client(of: .dom0)
        grants = GrantTable(process.grants)
        events = EventChannels(process.events)
    }

    func write(_ key: String, _ value: String) async throws {
        try await store.write(scene.device.backendPath.appending(StorePath(key)), value)
    }

    func setState(_ state: DeviceState) async throws {
        try await write("state", "\(state.rawValue)")
    }

    /// Maps the ring that the frontend publishes next, and says Connected.
    func connect(sectors: String = "4096") async throws {
        try await setState(.initWait)
        try await scene.frontendReaches(.initialised)
        ring = nil
        channel = nil
        mapping = nil
        let reference = try await number("ring-ref")
        let mapping = try grants.map([GrantReference(reference)], of: Scene.guest)
        // Safe: the mapping is dropped after the ring.
        ring = unsafe BackRing(attachingTo: mapping.memory)
        self.mapping = consume mapping
        channel = try events.bindInterdomain(
            to: EventPort(try await number("event-channel")), of: Scene.guest)
        try await write("sectors", sectors)
        try await setState(.connected)
    }

    private func number(_ key: String) async throws -> UInt32 {
        let text = try await scene.frontendNode(key)
        return try #require(UInt32(text ?? ""))
    }

    /// The next request that the frontend sends.
    func request() async throws -> BlockRequest {
        var found: BlockRequest?
        try await eventually("a request") {
            found = try ring?.next()
            return found != nil
        }
        return try #require(found)
    }

    /// Answers, as it is or with another id.
    func answer(
        _ request: BlockRequest, id: UInt64? = nil, _ status: BlockStatus = .okay
    ) throws {
        var response = BlockResponse(to: request, status)
        response.id = id ?? request.id
        ring?.push(response)
        if ring?.publish() == .required { try channel?.notify() }
    }

    /// Writes any number where the ring's response producer index is, and rings.
    func claimProducer(_ index: UInt32) throws {
        mapping?.store(
            (0..<4).map { UInt8(truncatingIfNeeded: index >> ($0 * 8)) }, at: 8)
        try channel?.notify()
    }

    func end() {
        store.close()
        process.kill()
    }
}
