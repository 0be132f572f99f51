public import XenCore
public import XenStoreClient

/// Names one device: its kind, its number, and the domains of its two ends. The toolstack's role is here, too.
///
/// Source: docs/misc/xenstore-paths.pandoc, "Device Specific", of the Xen tree.
public struct DeviceAddress: Hashable, Sendable {
    /// As `vbd` or `vif`.
    public var kind: String
    /// The device's number, as 51712 for `xvda`.
    public var number: Int
    /// The domain that uses the device.
    public var frontendDomain: DomainID
    /// The domain that serves it.
    public var backendDomain: DomainID

    public init(
        kind: String, number: Int, frontendDomain: DomainID, backendDomain: DomainID = .dom0
    ) {
        self.kind = kind
        self.number = number
        self.frontendDomain = frontendDomain
        self.backendDomain = backendDomain
    }

    /// `/local/domain/F/device/KIND/NUMBER`
    public var frontendPath: StorePath {
        get throws(StoreError) {
            try .home(of: frontendDomain).appending(StorePath("device/\(kind)/\(number)"))
        }
    }

    /// `/local/domain/B/backend/KIND/F/NUMBER`
    public var backendPath: StorePath {
        get throws(StoreError) {
            try .home(of: backendDomain).appending(
                StorePath("backend/\(kind)/\(frontendDomain.rawValue)/\(number)"))
        }
    }

    /// Makes both ends' directories, in the state Initialising, each readable by the other end.
    ///
    /// What an earlier device of this name left behind is removed first.
    ///
    /// - Parameters:
    ///   - store: a connection as a privileged domain.
    ///   - backendValues: more nodes for the backend's directory, as `mode`.
    public func attach(
        store: StoreClient, backendValues: [String: String] = [:]
    ) async throws(StoreError) {
        let front = try frontendPath
        let back = try backendPath
        try await store.withTransaction { transaction throws(StoreError) in
            try await make(
                front, for: frontendDomain, readableBy: backendDomain,
                [
                    "backend": "\(back)", "backend-id": "\(backendDomain.rawValue)",
                    "virtual-device": "\(number)", "state": "1",
                ], in: transaction)
            try await make(
                back, for: backendDomain, readableBy: frontendDomain,
                backendValues.merging([
                    "frontend": "\(front)", "frontend-id": "\(frontendDomain.rawValue)",
                    "online": "1", "state": "1",
                ]) { _, ours in ours }, in: transaction)
        }
    }

    /// Removes both ends' directories.
    public func detach(store: StoreClient) async throws(StoreError) {
        let paths = [try frontendPath, try backendPath]
        for path in paths {
            if try await store.exists(path) { try await store.remove(path) }
        }
    }

    private func make(
        _ directory: StorePath, for owner: DomainID, readableBy peer: DomainID,
        _ values: [String: String], in transaction: StoreTransaction
    ) async throws(StoreError) {
        if try await transaction.exists(directory) { try await transaction.remove(directory) }
        try await transaction.makeDirectory(directory)
        let permissions = [Permission(.none, for: owner), Permission(.read, for: peer)]
        // Nodes made below it inherit them.
        try await transaction.setPermissions(directory, permissions)
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            try await transaction.write(directory.appending(StorePath(key)), value)
            try await transaction.setPermissions(directory.appending(StorePath(key)), permissions)
        }
    }
}
