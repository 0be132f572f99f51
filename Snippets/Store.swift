// Reads, writes and watches the xenstore.
import XenStoreClient
import XenStoreServer

func store() async throws {
    // A store in this process. In a domain of real Xen: `let store = try StoreClient.connect()`.
    let server = try StoreServer()
    let store = try StoreClient(over: server.connect(as: .dom0))

    try await store.write("/demo/greeting", "hello")
    print(try await store.readString("/demo/greeting"))

    // All or nothing; runs again by itself when another's change conflicts.
    try await store.withTransaction { store throws(StoreError) in
        try await store.write("/demo/greeting", "hello, world")
        try await store.write("/demo/changes", "1")
    }

    for try await event in try await store.watch("/demo") {
        print("look again:", event)
        break
    }
    server.stop()
}

try await store()
