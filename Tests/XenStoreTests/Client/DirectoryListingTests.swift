import Testing
import XenCore
import XenStoreServer
import XenStoreWire

@testable import XenStoreClient

/// Names that a server lists: no node may hide its siblings, whatever it is called.
@Suite(.timeLimit(.minutes(1))) struct DirectoryListingTests {
    private static let names = ["a", "@a", "-", "_", String(repeating: "n", count: 2049)]

    /// A name, and whether a node can be called so.
    static let table: [(String, Bool)] =
        names.map { ($0, true) } + [
            (String(repeating: "n", count: 3071), true),
            (String(repeating: "n", count: 3072), false),
            ("", false), ("/", false), ("a/b", false), ("/a", false), ("a b", false), ("ü", false),
        ]

    @Test(arguments: table) func aListedNameIsAName(_ name: String, _ isGood: Bool) throws {
        let good = try path("good")
        var whole = DirectoryListing("/")
        var parts = DirectoryListing("/")
        #expect(try parts.take(.failure(Request.directory("/").refused(.tooBig))) == nil)
        let bytes = [good.bytes, Array(name.utf8)]
        let part = DirectoryPart(generation: 1, names: bytes, isLast: true)
        for result in [
            Result { try whole.take(.success(Fields.encode(bytes))) },
            Result { try parts.take(.success(part.payload)) },
        ] {
            if isGood {
                #expect(try result.get()?.map(\.description) == ["good", name])
            } else {
                #expect((result.failure as? StoreError)?.code == .protocolViolation)
            }
        }
    }

    @Test func anyNodeIsListedReadAndWatched() async throws {
        let server = try StoreServer()
        let client = try server.client(0)
        let home: StorePath = "/local/domain/0/home"
        for name in Self.names { try await client.write(try path("\(home)/\(name)"), "x") }
        let found = try await client.directory(home)
        #expect(found.map(\.description) == Self.names)
        for name in found {
            #expect(try await client.readString(try home.appending(name)) == "x")
        }
        let watch = try await client.watch("home")
        #expect(try await watch.next() == .changed("home"))
        for name in found {
            try await client.remove(try home.appending(name))
            let event = try await watch.next(until: .after(.seconds(20)))
            guard case .changed(let changed) = event else {
                Issue.record("\(event) of \(name)")
                continue
            }
            #expect(changed.bytes == Array("home/".utf8) + name.bytes)
        }
        #expect(client.counters.malformedEvents == 0)
    }
}
