import XenCore
import XenStoreClient

extension StoreConformance {
    static let conditions = [
        StoreCheck("a wait ends when one of its nodes, or each, is as wanted") { store, folder in
            let first = try folder.appending("first")
            let second = try folder.appending("second")
            let any = Task {
                try await store.wait(
                    for: .any([.node(first, .exists), .node(second, .equals("2"))]),
                    deadline: patience)
            }
            let all = Task {
                try await store.wait(
                    for: .all([.node(first, .exists), .node(second, .equals("2"))]),
                    deadline: patience)
            }
            try await store.write(second, "1")
            try await store.write(second, "2")
            try expect("the values of any", try await any.value, is: [second: Array("2".utf8)])
            try await store.write(first, "1")
            try expect(
                "the values of all", try await all.value,
                is: [first: Array("1".utf8), second: Array("2".utf8)])
        },
        StoreCheck("a wait for a node to go ends when one above it is removed") { store, folder in
            let node = try folder.appending("top/node")
            try await store.write(node, "1")
            let absence = Task {
                try await store.wait(for: node, until: .absent, deadline: patience)
            }
            try await store.remove(try folder.appending("top"))
            try expect("the value", try await absence.value, is: nil)
        },
        StoreCheck("a wait ends at its deadline") { store, folder in
            let node = try folder.appending("node")
            try await store.write(node, "1")
            try await expectFailure(of: "the wait", as: .timedOut) {
                () async throws(StoreError) in
                try await store.wait(for: node, until: .equals("2"), deadline: shortWhile)
            }
            try expect(
                "the value", try await store.wait(for: node, until: .exists, deadline: patience),
                is: Array("1".utf8))
        },
    ]
}
