package import XenBus
package import XenCore
package import XenStoreClient
package import XenStoreServer

extension StoreClient {
    /// A client whose requests may take as long as a busy machine likes.
    package static func patient(over transport: some ByteTransport) throws -> StoreClient {
        try StoreClient(over: transport, requestTimeout: .seconds(60))
    }
}

/// A store with one device that is attached, and what was seen in its nodes.
package final class Stage: Sendable {
    package static let guest = DomainID(1)

    package let server: StoreServer
    package let toolstack: StoreClient
    package let device: DeviceAddress

    package init(kind: String = "fake", number: Int = 0) async throws {
        device = DeviceAddress(kind: kind, number: number, frontendDomain: Self.guest)
        server = try StoreServer()
        toolstack = try .patient(over: server.connect(as: .dom0))
        try await device.attach(store: toolstack)
    }

    deinit { server.stop() }

    package func client(of domain: DomainID) throws -> StoreClient {
        try .patient(over: server.connect(as: domain))
    }

    private func node(_ directory: StorePath, _ key: String) async throws -> String? {
        let path = try directory.appending(StorePath(key))
        return try await toolstack.exists(path) ? toolstack.readString(path) : nil
    }

    package func backendNode(_ key: String) async throws -> String? {
        try await node(device.backendPath, key)
    }

    package func frontendNode(_ key: String) async throws -> String? {
        try await node(device.frontendPath, key)
    }

    package func reach(front: DeviceState? = nil, back: DeviceState? = nil) async throws {
        for (path, state) in [(try device.frontendPath, front), (try device.backendPath, back)] {
            guard let state else { continue }
            try await eventually("\(path) to be \(state)") {
                try await node(path, "state") == "\(state.rawValue)"
            }
        }
    }
}
