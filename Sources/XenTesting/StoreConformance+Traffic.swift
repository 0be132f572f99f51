import XenCore
import XenStoreClient

extension StoreConformance {
    static let traffic = [
        StoreCheck("of many requests in flight each gets its own reply") { store, folder in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<64 {
                    group.addTask {
                        let node = try folder.appending(try StorePath("node-\(index)"))
                        try await store.write(node, "value \(index)")
                        try expect(
                            "the value", try await store.readString(node), is: "value \(index)")
                    }
                }
                try await group.waitForAll()
            }
        },
        StoreCheck("cancelled tasks end, and the connection stays in step") { store, folder in
            let node = try folder.appending("node")
            try await store.write(node, "kept")
            for _ in 0..<20 {
                let tasks = (0..<8).map { _ in Task { try await store.read(node) } }
                for task in tasks.prefix(4) { task.cancel() }
                for task in tasks { _ = await task.result }
                let value = try await tasks[7].value
                try expect("the value", value, is: Array("kept".utf8))
            }
        },
        StoreCheck("what is not answered in time is timed out, and the connection stays in step") {
            store, folder in
            for index in 0..<20 {
                let node = try folder.appending(try StorePath("node-\(index)"))
                try await store.write(node, "\(index)")
                try await expectFailure(of: "READ", as: .timedOut) {
                    () async throws(StoreError) in
                    _ = try await store.perform(.read(node), until: .now)
                }
                do {
                    let value = try await store.perform(
                        .read(node), until: .after(.microseconds(index * 10)))
                    try expect("the value in time", value, is: Array("\(index)".utf8))
                } catch let error as StoreError {
                    try expect("the failure (\(error))", error.code, is: .timedOut)
                }
                try expect("the value", try await store.readString(node), is: "\(index)")
            }
        },
        StoreCheck("an operation that the server does not know is refused, and harms nobody") {
            store, folder in
            let node = try folder.appending("node")
            try await store.write(node, "kept")
            // Newer than the protocol; and of privilege, where they are known.
            let requests: [Request] = [
                .directoryPart(folder, offset: 0), .getFeature(nil), .getQuota(nil, name: nil),
            ]
            let names: [StoreErrorName] = [.notImplemented, .invalid, .accessDenied, .notPermitted]
            for request in requests {
                do throws(StoreError) { _ = try await store.perform(request) } catch {
                    try expect(
                        error.code == .refused && error.name.map(names.contains) == true,
                        "the refusal of \(request): expected one of \(names), found \(error)")
                }
                try expect("the value", try await store.readString(node), is: "kept")
            }
        },
    ]
}
