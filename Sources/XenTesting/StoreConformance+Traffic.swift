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
    ]
}
