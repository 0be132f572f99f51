import Synchronization
import XenStoreClient

extension StoreConformance {
    static let transactions = [
        StoreCheck("a transaction's changes are seen after it, and by itself") { store, folder in
            let node = try folder.appending("node")
            try await store.withTransaction { inside throws(StoreError) in
                try await inside.write(node, "new")
                guard try await inside.readString(node) == "new" else {
                    throw StoreError(.conflict, "the transaction does not see its own change")
                }
                guard try await !store.exists(node) else {
                    throw StoreError(.conflict, "the change is seen outside before the commit")
                }
            }
            try expect("the value", try await store.readString(node), is: "new")
        },
        StoreCheck("a transaction whose body throws leaves nothing") { store, folder in
            let node = try folder.appending("node")
            do throws(StoreError) {
                try await store.withTransaction { inside throws(StoreError) in
                    try await inside.write(node, "new")
                    throw StoreError(.invalidPath, "on purpose")
                }
            } catch {
                try expect("the error", error.message, is: "on purpose")
            }
            try expect("the node's existence", try await store.exists(node), is: false)
        },
        StoreCheck("a change outside makes the transaction run again, on the new value") {
            store, folder in
            let node = try folder.appending("counter")
            try await store.write(node, "1")
            let runs = Mutex(0)
            try await store.withTransaction { inside throws(StoreError) in
                let seen = try await inside.readString(node)
                let isFirst = runs.withLock { runs in
                    runs += 1
                    return runs == 1
                }
                if isFirst { try await store.write(node, "2") }
                try await inside.write(node, seen + "!")
            }
            try expect("the runs", runs.withLock { $0 }, is: 2)
            try expect("the value", try await store.readString(node), is: "2!")
        },
        StoreCheck("a change elsewhere does not disturb a transaction") { store, folder in
            try await store.write(try folder.appending("mine"), "1")
            try await store.write(try folder.appending("other"), "1")
            let runs = Mutex(0)
            try await store.withTransaction { inside throws(StoreError) in
                runs.withLock { $0 += 1 }
                let seen = try await inside.readString(try folder.appending("mine"))
                try await store.write(try folder.appending("other"), "2")
                try await inside.write(try folder.appending("mine"), seen + "2")
            }
            try expect("the runs", runs.withLock { $0 }, is: 1)
        },
        StoreCheck("a watch is told of a transaction's changes only when it commits") {
            store, folder in
            let node = try folder.appending("node")
            let other = try folder.appending("other")
            let watch = try await store.watch(folder)
            _ = try await watch.next(until: patience)
            try await store.withTransaction { inside throws(StoreError) in
                try await inside.write(node, "1")
                try await store.write(other, "1")
            }
            try expect(
                "the first event", try await watch.next(until: patience), is: .changed(other))
            try expect(
                "the second event", try await watch.next(until: patience), is: .changed(node))
        },
    ]
}
