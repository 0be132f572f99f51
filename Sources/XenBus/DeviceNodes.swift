import XenCore
import XenStoreClient

/// Both ends' directories of one device in the store, seen from one end.
struct DeviceNodes: Sendable {
    let store: StoreClient
    let own: StorePath
    let peer: StorePath
    let peerDomain: DomainID

    /// Finds the peer by the nodes that the toolstack wrote into our directory. Throws `.noDevice` without them.
    ///
    /// - Parameter peerRole: `backend` or `frontend`, the name of the node that has the peer's path.
    static func find(
        _ own: StorePath, peerRole: String, store: StoreClient
    ) async throws -> DeviceNodes {
        if let nodes = try await look(own, peerRole: peerRole, store: store) { return nodes }
        throw BusError(.noDevice, "\(own) is no device: attach one with the toolstack first")
    }

    /// As `find`, but nil where the toolstack has made no device.
    static func look(
        _ own: StorePath, peerRole: String, store: StoreClient
    ) async throws -> DeviceNodes? {
        let pathKey = try StorePath(peerRole)
        let numberKey = try StorePath(peerRole + "-id")
        // Read apart from the guard: with an await in its conditions, Swift 6.3.1 crashes when optimizing.
        let path = try await value(pathKey, of: own, in: store)
        let text = try await value(numberKey, of: own, in: store)
        guard let path, let text else { return nil }
        guard let number = UInt16(text) else {
            throw BusError(.noDevice, "\(own)/\(peerRole)-id is '\(text)', not a domain")
        }
        return DeviceNodes(
            store: store, own: own, peer: try StorePath(path), peerDomain: DomainID(number))
    }

    /// The peer's state; nil if its node is gone.
    func peerState(in access: some StoreAccess) async throws(StoreError) -> DeviceState? {
        try await Self.state(of: peer, in: access)
    }

    /// Our own state; nil if its node is gone.
    func ownState() async throws(StoreError) -> DeviceState? {
        try await Self.state(of: own, in: store)
    }

    private static func state(
        of directory: StorePath, in access: some StoreAccess
    ) async throws(StoreError) -> DeviceState? {
        // What is no number is no state that anyone is in.
        try await value("state", of: directory, in: access).map {
            DeviceState(rawValue: UInt32($0) ?? 0)
        }
    }

    /// A node below one of the directories; nil if there is none, or none that we may see: the store hides
    /// with EACCES that a node below an unreadable one has gone.
    static func value(
        _ key: StorePath, of directory: StorePath, in access: some StoreAccess
    ) async throws(StoreError) -> String? {
        do {
            return try await access.readString(directory.appending(key))
        } catch  where error.name == .noEntry || error.name == .accessDenied {
            return nil
        }
    }

    /// Those of the keys that the peer has written.
    func published(
        _ keys: [String], in access: some StoreAccess
    ) async throws(StoreError) -> [String: String] {
        var found: [String: String] = [:]
        for key in keys {
            let value = try await Self.value(StorePath(key), of: peer, in: access)
            found[key] = value
        }
        return found
    }

    /// Says in our node `error` what went wrong: in short, since the words may be the peer's. Where others write there
    /// without pause it stays unsaid: the device has failed all the same.
    func write(_ failure: any Error) async throws(StoreError) {
        let text = "\(failure)".utf8.prefix(Self.errorByteLimit)
        do {
            try await write(["error": String(decoding: text, as: UTF8.self)])
        } catch {
            if error.code != .conflict { throw error }
        }
    }

    /// Well below what a node may have.
    private static let errorByteLimit = 512

    /// Writes nodes of ours, and our state, in one transaction, if the peer stands where `condition` says.
    ///
    /// A directory that has vanished is not made again: its device is gone.
    ///
    /// - Returns: whether the condition held.
    @discardableResult
    func write(
        _ values: [String: String] = [:], state: DeviceState? = nil,
        if condition: PeerCondition? = nil
    ) async throws(StoreError) -> Bool {
        try await store.withTransaction { transaction throws(StoreError) in
            let current = try await Self.value("state", of: own, in: transaction)
            guard let current else { return true }
            if let condition, try await !holds(condition, in: transaction) { return false }
            for (key, value) in values.sorted(by: { $0.key < $1.key }) {
                try await transaction.write(own.appending(StorePath(key)), value)
            }
            // What is written again wakes whoever watches, ourselves too.
            if let state, current != "\(state.rawValue)" {
                try await transaction.write(own.appending("state"), "\(state.rawValue)")
            }
            return true
        }
    }

    private func holds(
        _ condition: PeerCondition, in access: some StoreAccess
    ) async throws(StoreError) -> Bool {
        guard let state = try await peerState(in: access), condition.states.contains(state) else {
            return false
        }
        return try await published(condition.keys, in: access) == condition.published
    }
}

/// Where the peer has to stand for one of our writes to be true.
struct PeerCondition: Sendable {
    var states: Set<DeviceState>
    /// Nodes of the peer's that count, and what they have to say.
    var keys: [String] = []
    var published: [String: String] = [:]
}
