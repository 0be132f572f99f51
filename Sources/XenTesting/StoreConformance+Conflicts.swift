import Synchronization
import XenStoreClient

extension StoreConformance {
    static let conflicts = [
        StoreCheck("of two transactions on a node the one that ends last runs again: the elder") {
            store, folder in
            let node = try folder.appending("node")
            try await store.write(node, "")
            let runs = Mutex(0)
            try await store.withTransaction { elder throws(StoreError) in
                let seen = try await elder.readString(node)
                if count(runs) == 1 {
                    try await store.withTransaction { younger throws(StoreError) in
                        try await younger.write(node, try await younger.readString(node) + "y")
                    }
                }
                try await elder.write(node, seen + "e")
            }
            try expect("the elder's runs", runs.withLock { $0 }, is: 2)
            try expect("the value", try await store.readString(node), is: "ye")
        },
        StoreCheck("of two transactions on a node the one that ends last runs again: the younger") {
            store, folder in
            let node = try folder.appending("node")
            try await store.write(node, "")
            let (beginning, begun) = AsyncStream.makeStream(of: Void.self)
            let (ending, ended) = AsyncStream.makeStream(of: Void.self)
            defer { ended.finish() }
            let younger = try await store.withTransaction { elder throws(StoreError) in
                let seen = try await elder.readString(node)
                let younger = Task {
                    defer { begun.finish() }
                    return try await appendY(to: node, store, begun, whenEnded: ending)
                }
                for await _ in beginning {}
                try await elder.write(node, seen + "e")
                return younger
            }
            ended.finish()
            try expect("the younger's runs", try await younger.value, is: 2)
            try expect("the value", try await store.readString(node), is: "ey")
        },
        StoreCheck("what an aborted transaction removed is there, and no watch was told") {
            store, folder in
            let node = try folder.appending("node")
            let other = try folder.appending("other")
            try await store.write(node, "kept")
            let watch = try await store.watch(folder)
            try await expectEvent(of: watch, at: folder, "when set")
            try await expectFailure(of: "the transaction", as: .conflict) {
                () async throws(StoreError) in
                try await store.withTransaction { inside throws(StoreError) in
                    try await inside.remove(node)
                    try await inside.write(other, "1")
                    throw StoreError(.conflict, "on purpose")
                }
            }
            try expect("the value", try await store.readString(node), is: "kept")
            try expect("the other's existence", try await store.exists(other), is: false)
            try await store.write(node, "2")
            try await expectEvent(of: watch, at: node, "of the first change")
        },
    ]

    /// Finishes `begun` once it has read; ends its first run once `whenEnded` is finished. Returns how often it ran.
    private static func appendY(
        to node: StorePath, _ store: StoreClient, _ begun: AsyncStream<Void>.Continuation,
        whenEnded: AsyncStream<Void>
    ) async throws(StoreError) -> Int {
        let runs = Mutex(0)
        try await store.withTransaction { younger throws(StoreError) in
            let seen = try await younger.readString(node)
            begun.finish()
            if count(runs) == 1 { for await _ in whenEnded {} }
            try await younger.write(node, seen + "y")
        }
        return runs.withLock { $0 }
    }

    /// One more run. Returns how many they are.
    private static func count(_ runs: borrowing Mutex<Int>) -> Int {
        runs.withLock { runs in
            runs += 1
            return runs
        }
    }
}
