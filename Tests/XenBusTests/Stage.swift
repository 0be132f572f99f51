import XenBus
import XenCore
import XenStoreClient
import XenStoreServer

/// A store with one device, and what was seen in its state nodes.
final class Stage: Sendable {
    static let guest = DomainID(1)

    let server: StoreServer
    let toolstack: StoreClient
    let device = DeviceAddress(kind: "fake", number: 0, frontendDomain: guest)

    init() async throws {
        server = try StoreServer()
        toolstack = try StoreClient(over: server.connect(as: .dom0))
        try await device.attach(store: toolstack)
    }

    deinit { server.stop() }

    func client(of domain: DomainID) throws -> StoreClient {
        try StoreClient(over: server.connect(as: domain))
    }

    func node(_ directory: StorePath, _ key: String) async throws -> String? {
        let path = try directory.appending(StorePath(key))
        return try await toolstack.exists(path) ? toolstack.readString(path) : nil
    }

    func backendNode(_ key: String) async throws -> String? {
        try await node(device.backendPath, key)
    }

    func reach(front: DeviceState? = nil, back: DeviceState? = nil) async throws {
        for (path, state) in [(try device.frontendPath, front), (try device.backendPath, back)] {
            guard let state else { continue }
            try await eventually("\(path) to be \(state)") {
                try await node(path, "state") == "\(state.rawValue)"
            }
        }
    }
}

/// What a test waited for in vain.
struct NotSeen: Error, CustomStringConvertible {
    let description: String
}

/// Waits for something that will come if the code is right; how long it takes decides nothing.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = Deadline.after(.seconds(30))
    while try await !condition() {
        guard !deadline.hasPassed else { throw NotSeen(description: "waited in vain for \(what)") }
        try await Task.sleep(for: .milliseconds(1))
    }
}
