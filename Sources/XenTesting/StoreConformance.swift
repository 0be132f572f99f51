import XenCore
import XenStoreClient

/// What every xenstored must answer, and every client must make of it, in dom0 and in a guest.
public enum StoreConformance {
    public static let checks =
        nodes + sizes + permissions + watches + conditions + transactions + conflicts + traffic
}

extension StoreConformance {
    static let nodes = [
        StoreCheck("a value is octets, any of them, and comes back as it was") { store, folder in
            let node = try folder.appending("octets")
            for value in [[], [0], Array(0...255), [UInt8](repeating: 0xFF, count: 1500)] {
                try await store.write(node, value)
                try expect("the value", try await store.read(node), is: value)
            }
        },
        StoreCheck("writing makes the nodes above, with empty values") { store, folder in
            try await store.write(try folder.appending("a/b/c"), "deep")
            try expect("the value above", try await store.read(try folder.appending("a/b")), is: [])
            try expect(
                "the children", try await store.directory(try folder.appending("a")), is: ["b"])
        },
        StoreCheck("making a directory that exists keeps its value") { store, folder in
            let node = try folder.appending("kept")
            try await store.write(node, "value")
            try await store.makeDirectory(node)
            try expect("the value", try await store.readString(node), is: "value")
        },
        StoreCheck("a directory lists each child once, and a leaf has none") { store, folder in
            let names: [StorePath] = ["one", "two", "three"]
            for name in names { try await store.write(try folder.appending(name), "x") }
            try await store.write(try folder.appending("one"), "again")
            let found = try await store.directory(folder)
            try expect("the number of children", found.count, is: names.count)
            try expect("the children", Set(found), is: Set(names))
            try expect("a leaf's", try await store.directory(try folder.appending("one")), is: [])
        },
        StoreCheck("a missing node is ENOENT, and does not exist") { store, folder in
            let node = try folder.appending("missing")
            try await expectRefusal(of: "READ", as: .noEntry) { () async throws(StoreError) in
                _ = try await store.read(node)
            }
            try await expectRefusal(of: "DIRECTORY", as: .noEntry) { () async throws(StoreError) in
                _ = try await store.directory(node)
            }
            try await expectRefusal(of: "GET_PERMS", as: .noEntry) { () async throws(StoreError) in
                _ = try await store.permissions(node)
            }
            try expect("its existence", try await store.exists(node), is: false)
            try expect("its parent's existence", try await store.exists(folder), is: true)
        },
        StoreCheck("removing takes all below, and needs the parent only") { store, folder in
            try await store.write(try folder.appending("top/middle/leaf"), "x")
            try await store.remove(try folder.appending("top"))
            try expect("what is left", try await store.directory(folder), is: [])
            try await store.remove(try folder.appending("top"))
            try await expectRefusal(of: "RM", as: .noEntry) { () async throws(StoreError) in
                try await store.remove(try folder.appending("top/middle/leaf"))
            }
        },
        StoreCheck("a node exists from when it is made until it is removed") { store, folder in
            let node = try folder.appending("a/b")
            try expect("at first", try await store.exists(node), is: false)
            try await store.makeDirectory(node)
            try expect("once made", try await store.exists(node), is: true)
            try expect(
                "the node above", try await store.exists(try folder.appending("a")), is: true)
            try await store.remove(try folder.appending("a"))
            try expect("once removed", try await store.exists(node), is: false)
        },
        StoreCheck("a relative path and an absolute one name the same node") { store, folder in
            let owner = try await store.permissions(folder)[0].domain
            let relative = try folder.appending("node")
            let absolute = try await store.domainPath(owner).appending(relative)
            try await store.write(relative, "1")
            try expect("the value", try await store.readString(absolute), is: "1")
            let watches = (try await store.watch(relative), try await store.watch(absolute))
            try await expectEvent(of: watches.0, at: relative, "when set")
            try await expectEvent(of: watches.1, at: absolute, "when set")
            try await store.write(absolute, "2")
            try expect("the new value", try await store.readString(relative), is: "2")
            try await expectEvent(of: watches.0, at: relative, "of the change")
            try await expectEvent(of: watches.1, at: absolute, "of the change")
        },
        StoreCheck("a domain's home is /local/domain/N") { store, _ in
            let id = DomainID(1)
            try expect("the path", try await store.domainPath(id), is: StorePath.home(of: id))
        },
    ]

    static let permissions = [
        StoreCheck("permissions come back as they were set, the owner's first") { store, folder in
            let node = try folder.appending("guarded")
            try await store.write(node, "x")
            let owner = try await store.permissions(node)[0].domain
            let entries: [Permission] = [.init(.none, for: owner), .init(.readWrite, for: .dom0)]
            try await store.setPermissions(node, entries)
            try expect("the entries", try await store.permissions(node), is: entries)
        },
        StoreCheck("a new node has its parent's permissions") { store, folder in
            let parent = try folder.appending("parent")
            try await store.makeDirectory(parent)
            let owner = try await store.permissions(parent)[0].domain
            let entries: [Permission] = [.init(.read, for: owner), .init(.write, for: .dom0)]
            try await store.setPermissions(parent, entries)
            let child = try parent.appending("child")
            try await store.makeDirectory(child)
            try expect("the entries", try await store.permissions(child), is: entries)
        },
    ]
}
