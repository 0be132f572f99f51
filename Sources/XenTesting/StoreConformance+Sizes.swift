import XenStoreClient

extension StoreConformance {
    static let sizes = [
        StoreCheck("what does not fit a packet is refused here, and the connection lives on") {
            store, folder in
            let node = try folder.appending("large")
            try await expectFailure(of: "WRITE", as: .tooLong) { () async throws(StoreError) in
                try await store.write(node, [UInt8](repeating: 1, count: 5000))
            }
            try expect("its existence", try await store.exists(node), is: false)
        },
        StoreCheck("the largest value that a packet takes is kept whole, or refused by a quota") {
            store, folder in
            let node = try folder.appending("large")
            guard let value = try await writeLargest(to: node, store) else {
                return try expect("its existence", try await store.exists(node), is: false)
            }
            try expect("the value", try await store.read(node), is: value)
            try await expectFailure(of: "WRITE", as: .tooLong) { () async throws(StoreError) in
                try await store.write(node, value + [0])
            }
            try expect("the value then", try await store.read(node), is: value)
        },
        StoreCheck(
            "a list that no packet holds is whole, or a typed error from a server without parts"
        ) {
            store, folder in
            let made = try await makeLongList(in: folder, store)
            do {
                let found = try await store.directory(folder)
                try expect("the number of children", found.count, is: made.count)
                try expect("the children", Set(found), is: Set(made))
            } catch let error as StoreError {
                // oxenstored refuses it on a ring, and sends more than a packet may have on a socket.
                try expect(
                    error.name == .tooBig || error.name == .notImplemented
                        || error.code == .protocolViolation, "the error: found \(error)")
            }
            try expect("its existence", try await store.exists(folder), is: true)
        },
    ]

    /// Writes as much as this connection's packets take. Returns the value; nil when a quota forbids it.
    private static func writeLargest(
        to node: StorePath, _ store: StoreClient
    ) async throws -> [UInt8]? {
        // The protocol's limit for a payload, and that of Linux's device, which counts the header in.
        for limit in [4096, 4080] {
            let count = limit - node.bytes.count - 1
            let value = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            do throws(StoreError) {
                try await store.write(node, value)
                return value
            } catch {
                if error.isOfQuota { return nil }
                guard error.code == .tooLong else { throw error }
            }
        }
        throw ConformanceFailure("the connection takes no packet of 4080 bytes")
    }

    /// Makes children whose names have 5000 bytes, or as many as a quota allows.
    private static func makeLongList(
        in folder: StorePath, _ store: StoreClient
    ) async throws -> [StorePath] {
        var made: [StorePath] = []
        for index in 0..<50 {
            let name = try StorePath("\(100 + index)-" + String(repeating: "n", count: 95))
            do throws(StoreError) {
                try await store.makeDirectory(try folder.appending(name))
            } catch {
                guard error.isOfQuota, made.count >= 10 else { throw error }
                break
            }
            made.append(name)
        }
        return made
    }
}
