import XenCore
import XenStoreClient

extension StoreConformance {
    static let watches = [
        StoreCheck("a watch tells at once, then of each change at or below its path") {
            store, folder in
            let watch = try await store.watch(folder)
            try await expectEvent(of: watch, at: folder, "when set")
            let child = try folder.appending("child")
            try await store.write(child, "1")
            try await expectEvent(of: watch, at: child, "of a node made")
            try await store.write(child, "2")
            try await expectEvent(of: watch, at: child, "of a node written")
            try await store.remove(child)
            try await expectEvent(of: watch, at: child, "of a node removed")
        },
        StoreCheck("a watch may be set on a node that is still missing") { store, folder in
            let node = try folder.appending("later")
            let watch = try await store.watch(node)
            try await expectEvent(of: watch, at: node, "when set")
            try await store.write(node, "1")
            try await expectEvent(of: watch, at: node, "of the node made")
        },
        StoreCheck("removing a node above tells the watched path") { store, folder in
            let node = try folder.appending("top/leaf")
            try await store.write(node, "1")
            let watch = try await store.watch(node)
            try await expectEvent(of: watch, at: node, "when set")
            try await store.remove(try folder.appending("top"))
            try await expectEvent(of: watch, at: node, "of the removal")
        },
        StoreCheck("each watch gets its own path's events, and no sibling's") { store, folder in
            let first = try folder.appending("first")
            let second = try folder.appending("second")
            let watches = (try await store.watch(first), try await store.watch(second))
            try await expectEvent(of: watches.0, at: first, "when set")
            try await expectEvent(of: watches.1, at: second, "when set")
            try await store.write(try folder.appending("first-not"), "1")
            try await store.write(second, "1")
            try await expectEvent(of: watches.1, at: second, "of its node")
            // The server tells in the order of changes: an event for the first would have come by now.
            try await expectFailure(of: "the first watch", as: .timedOut) {
                () async throws(StoreError) in _ = try await watches.0.next(until: .now)
            }
        },
        StoreCheck("a changed permission tells the watch") { store, folder in
            let node = try folder.appending("node")
            try await store.write(node, "1")
            let watch = try await store.watch(node)
            try await expectEvent(of: watch, at: node, "when set")
            try await store.setPermissions(node, try await store.permissions(node))
            try await expectEvent(of: watch, at: node, "of the change")
        },
        StoreCheck("a watch outlives its node, and tells when that is made again") {
            store, folder in
            let node = try folder.appending("node")
            let watch = try await store.watch(node)
            try await expectEvent(of: watch, at: node, "when set")
            for round in 1...10 {
                try await store.write(node, "\(round)")
                try await expectEvent(of: watch, at: node, "of the node made")
                try await store.remove(node)
                try await expectEvent(of: watch, at: node, "of the node removed")
            }
        },
        StoreCheck("a hundred watches, or as many as a quota allows, tell each of its own node") {
            store, folder in
            var watches: [StoreWatch] = []
            for index in 0..<100 {
                let node = try folder.appending(try StorePath("node-\(index)"))
                do throws(StoreError) {
                    watches.append(try await store.watch(node))
                } catch {
                    // Linux's device has no number for oxenstored's EQUOTA, and makes EINVAL of it
                    // (get_error in drivers/xen/xenbus/xenbus_xs.c).
                    let isOfQuota = error.isOfQuota || error.name == .invalid
                    guard isOfQuota, watches.count >= 50 else { throw error }
                    break
                }
            }
            for watch in watches {
                try await expectEvent(of: watch, at: watch.path, "when set")
            }
            for watch in watches { try await store.write(watch.path, "x") }
            for watch in watches {
                try await expectEvent(of: watch, at: watch.path, "of its node")
            }
        },
        StoreCheck("a watch that was let go of is gone from the server") { store, folder in
            for _ in 0..<300 {  // more than a guest may have at a time
                let watch = try await store.watch(folder)
                try await expectEvent(of: watch, at: folder, "when set")
            }
        },
    ]

    static func expectEvent(
        of watch: StoreWatch, at path: StorePath, _ when: String
    ) async throws {
        let event = try await watch.next(until: patience)
        try expect("the event \(when)", event, is: .changed(path))
    }
}
