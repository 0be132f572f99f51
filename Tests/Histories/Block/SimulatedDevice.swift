import XenBus
import XenCore
import XenStoreWire

/// The nodes of one device, as the toolstack makes them and the drivers read and write them.
struct SimulatedDevice {
    /// One end, with the program's connection to the store.
    struct End {
        let session: StoreSession
        let own: StorePath
        let peer: StorePath

        func peerState() throws -> DeviceState? { try state(of: peer) }
        func ownState() throws -> DeviceState? { try state(of: own) }

        private func state(of directory: StorePath) throws -> DeviceState? {
            try session.read("state", of: directory)
                .map { DeviceState(rawValue: UInt32($0) ?? 0) }
        }

        /// Those of the keys that the peer has written.
        func published(_ keys: [String]) throws -> [String: String] {
            var found: [String: String] = [:]
            for key in keys { found[key] = try session.read(key, of: peer) }
            return found
        }

        /// A directory that has vanished is not made again.
        func write(_ values: [String: String] = [:], state: DeviceState? = nil) throws {
            guard let current = try session.read("state", of: own) else { return }
            try session.write(values, in: own)
            if let state, current != "\(state.rawValue)" {
                try session.write(["state": "\(state.rawValue)"], in: own)
            }
        }

        func watchBoth() throws {
            try session.watch(peer)
            try session.watch(own)
        }
    }

    let guest: DomainID
    let front: StorePath
    let back: StorePath

    init(guest: DomainID) throws {
        self.guest = guest
        let address = DeviceAddress(kind: "vbd", number: 51712, frontendDomain: guest)
        front = try address.frontendPath
        back = try address.backendPath
    }

    func frontend(_ session: StoreSession) -> End { End(session: session, own: front, peer: back) }
    func backend(_ session: StoreSession) -> End { End(session: session, own: back, peer: front) }

    /// Makes both directories anew, as `DeviceAddress.attach` does.
    func attach(by toolstack: StoreSession) throws {
        try make(front, for: guest, readableBy: .dom0, ["state": "1"], toolstack)
        try make(back, for: .dom0, readableBy: guest, ["online": "1", "state": "1"], toolstack)
    }

    func detach(by toolstack: StoreSession) throws {
        for path in [front, back] { try toolstack.perform(.remove(path)) }
    }

    private func make(
        _ directory: StorePath, for owner: DomainID, readableBy peer: DomainID,
        _ values: [String: String], _ toolstack: StoreSession
    ) throws {
        let permissions = [Permission(.none, for: owner), Permission(.read, for: peer)]
        try toolstack.perform(.remove(directory))
        try toolstack.perform(.makeDirectory(directory))
        try toolstack.perform(.setPermissions(directory, permissions))
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            let node = try directory.appending(StorePath(key))
            try toolstack.perform(.write(node, Array(value.utf8)))
            try toolstack.perform(.setPermissions(node, permissions))
        }
    }
}
