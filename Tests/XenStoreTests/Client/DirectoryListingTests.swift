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

    /// A server's word at a time.
    enum Word: Sendable {
        case whole([String])
        case part(UInt64, [String], isLast: Bool = false)
        case refusal(StoreErrorName)

        func reply(to request: Request) -> Result<[UInt8], StoreError> {
            switch self {
            case .whole(let names): .success(Fields.encode(names.map { Array($0.utf8) }))
            case .part(let generation, let names, let isLast):
                .success(
                    DirectoryPart(
                        generation: generation, names: names.map { Array($0.utf8) }, isLast: isLast
                    ).payload)
            case .refusal(let name): .failure(request.refused(name))
            }
        }
    }

    /// A list that is another one when its second part is read, each of so many times.
    private static func changes(_ count: Int) -> [Word] {
        [.refusal(.tooBig)]
            + [[Word]](repeating: [.part(1, ["a"]), .part(2, ["b"])], count: count).flatMap { $0 }
    }

    private static let byteCountLimit = 1 << 16

    private static let endless =
        [.refusal(.tooBig)]
        + [Word](
            repeating: .part(1, [String(repeating: "n", count: 2047)]),
            count: byteCountLimit / (2048 + 64) + 1)

    /// What a server says, and the names or the error that come of all of it, not before.
    static let readings: [(words: [Word], outcome: String)] = [
        ([.whole([])], ""),
        ([.whole(["a", "b"])], "a b"),
        ([.refusal(.noEntry)], "refused"),
        ([.refusal(.tooBig), .part(1, ["a", "b"], isLast: true)], "a b"),
        ([.refusal(.tooBig), .part(1, ["a"]), .part(1, ["b"], isLast: true)], "a b"),
        ([.refusal(.tooBig), .part(1, ["a"]), .part(1, [], isLast: true)], "a"),
        ([.refusal(.tooBig), .part(1, [], isLast: true)], ""),
        ([.refusal(.tooBig), .part(1, ["a"]), .refusal(.noEntry)], "refused"),
        ([.refusal(.tooBig), .part(1, ["a"]), .refusal(.tooBig)], "refused"),
        ([.refusal(.tooBig), .part(1, [])], "protocol violation"),
        (changes(1) + [.part(2, ["c"], isLast: true)], "c"),
        (
            [
                .refusal(.tooBig), .part(1, ["a"]), .part(2, ["b"], isLast: true),
                .part(2, ["c"]), .part(2, ["b"], isLast: true),
            ], "c b"
        ),
        (changes(15) + [.part(2, ["c"], isLast: true)], "c"),
        (changes(16), "conflict"),
        (endless, "limit reached"),
    ]

    @Test(arguments: readings.indices) func aListIsReadAtOnceOrInParts(index: Int) throws {
        let (words, outcome) = Self.readings[index]
        var listing = DirectoryListing("/", until: .never, byteCountLimit: Self.byteCountLimit)
        for word in words.dropLast() {
            #expect(try listing.take(word.reply(to: listing.request)) == nil)
        }
        let last = try #require(words.last)
        do throws(StoreError) {
            let names = try listing.take(last.reply(to: listing.request))
            #expect(names?.map(\.description).joined(separator: " ") == outcome)
        } catch {
            #expect(error.code.description == outcome)
        }
    }

    @Test func eachPartIsAskedForWhereTheLastOneEnds() throws {
        var listing = DirectoryListing("/", until: .never)
        var requests: [Request] = []
        for word in Self.changes(1) + [.part(2, ["bc"]), .part(2, ["d"])] {
            requests.append(listing.request)
            #expect(try listing.take(word.reply(to: listing.request)) == nil)
        }
        requests.append(listing.request)
        #expect(
            requests == [
                .directory("/"), .directoryPart("/", offset: 0), .directoryPart("/", offset: 2),
                .directoryPart("/", offset: 0), .directoryPart("/", offset: 3),
                .directoryPart("/", offset: 5),
            ])
    }

    @Test func aListThatTakesTooLongIsGivenUp() throws {
        let whole: Word = .whole(["a"])
        var short = DirectoryListing("/", until: .now)
        #expect(try short.take(whole.reply(to: short.request))?.count == 1)
        var long = DirectoryListing("/", until: .now)
        let error = #expect(throws: StoreError.self) {
            _ = try long.take(Word.refusal(.tooBig).reply(to: long.request))
        }
        #expect(error?.code == .timedOut)
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
