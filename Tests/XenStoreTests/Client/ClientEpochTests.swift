import Testing
import XenCore
import XenStoreWire

@testable import XenStoreClient

/// What the client's core makes of lost and new connections.
@Suite struct ClientEpochTests {
    /// How far a request has come when its connection is lost.
    enum Progress: CaseIterable { case queued, encoded, begun, sent }

    /// What becomes of a request: for each progress, an error or `again`.
    static let fates: [(Request, [Progress: String])] = [
        (.read("/a"), [.queued: "again", .encoded: "again", .begun: "again", .sent: "again"]),
        (.directory("/a"), [.queued: "again", .begun: "again", .sent: "again"]),
        (.transactionStart, [.queued: "again", .begun: "again", .sent: "again"]),
        (.getQuota(nil, name: [0x6E]), [.sent: "again"]),
        (
            .write("/a", [1]),
            [
                .queued: "again", .encoded: "again", .begun: "outcome unknown",
                .sent: "outcome unknown",
            ]
        ),
        (.remove("/a"), [.queued: "again", .sent: "outcome unknown"]),
        (.makeDirectory("/a"), [.queued: "again", .sent: "outcome unknown"]),
        (.control([[0x78]]), [.queued: "again", .sent: "outcome unknown"]),
    ]

    @Test(arguments: fates.indices)
    func aRequestsFate(index: Int) throws {
        let (request, fates) = Self.fates[index]
        for (progress, expected) in fates {
            var client = CoreHarness()
            let handle = try client.begin(request)
            try Self.bring(progress, &client)
            client.disconnect()
            if expected == "again" {
                #expect(client.endings() == [:])
                client.connect()
                let sent = try client.flush()
                #expect(sent.map(\.payload) == [request.payload], "\(request) \(progress)")
                #expect(sent.map(\.requestID) == [handle.requestID(in: Epoch(rawValue: 2))])
            } else {
                #expect(client.endings() == [handle: expected], "\(request) \(progress)")
                client.connect()
                #expect(try client.flush() == [])
            }
        }
    }

    /// The same within a transaction, which has ended whatever happens; only a commit may have been carried out.
    @Test(arguments: Progress.allCases)
    func aTransactionEndsInAConflict(progress: Progress) throws {
        let requests: [Request] = [
            .read("/a"), .write("/a", [1]), .remove("/a"), .transactionEnd(commit: false),
            .transactionEnd(commit: true),
        ]
        for request in requests {
            var client = CoreHarness()
            let scope = TransactionScope(id: TransactionID(rawValue: 7), epoch: client.core.epoch)
            let handle = try client.begin(request, in: scope)
            try Self.bring(progress, &client)
            client.disconnect()
            let isInDoubt = request.isCommit && (progress == .begun || progress == .sent)
            #expect(client.endings() == [handle: isInDoubt ? "outcome unknown" : "EAGAIN"])
            client.connect()
            #expect(try client.flush() == [])
            let late = #expect(throws: StoreError.self) { _ = try client.begin(request, in: scope) }
            #expect(late?.name == .again)
        }
    }

    private static func bring(_ progress: Progress, _ client: inout CoreHarness) throws {
        switch progress {
        case .queued: break
        case .encoded:
            let hasOutput = client.core.prepareOutput()
            #expect(hasOutput)
        case .begun: try client.flush(1)
        case .sent: try client.flush()
        }
    }

    @Test func whatWasNotSentKeepsItsOrder() throws {
        var client = CoreHarness()
        let paths = try (0..<6).map { try path("/\($0)") }
        let sent = try client.begin(.write(paths[0], []))
        try client.flush()
        for path in paths[1...3] { _ = try client.begin(.write(path, [])) }
        let hasOutput = client.core.prepareOutput()
        #expect(hasOutput)
        for path in paths[4...] { _ = try client.begin(.write(path, [])) }
        client.disconnect()
        #expect(client.endings() == [sent: "outcome unknown"])
        client.connect()
        let payloads = paths.dropFirst().map { Request.write($0, []).payload }
        #expect(try client.flush().map(\.payload) == payloads)
    }

    @Test func anOlderEpochsRepliesAreDroppedAndCounted() throws {
        var client = CoreHarness()
        let handle = try client.begin(.read("/a"))
        let old = try #require(try client.flush().first)
        client.disconnect()
        client.connect()
        let new = try #require(try client.flush().first)
        try client.answer(old, "old")
        #expect(client.endings() == [:])
        #expect(client.core.counters.staleReplies == 1)
        try client.answer(new, "new")
        #expect(client.endings() == [handle: "new"])
    }

    @Test func withoutAConnectionRequestsWaitUntilTheirDeadline() throws {
        var client = CoreHarness()
        client.disconnect()
        let handle = try client.begin(.write("/a", []), within: .seconds(1))
        let hasOutput = client.core.prepareOutput()
        #expect(!hasOutput)
        client.now = client.now + .seconds(1)
        #expect(client.core.expire(client.now) == nil)
        #expect(client.endings() == [handle: "timed out"])
        client.connect()
        #expect(try client.flush() == [])
    }

    @Test func withdrawnRequestsAreForgottenWithTheirConnection() throws {
        var client = CoreHarness()
        let handle = try client.begin(.read("/a"))
        try client.flush()
        _ = client.withdraw(handle)
        client.disconnect()
        client.connect()
        #expect(try client.flush() == [])
        #expect(client.core.requests.count == 0)
        #expect(client.endings() == [:])
    }

    @Test func aClientOfOneTransportEndsWithIt() throws {
        var client = CoreHarness(canReconnect: false)
        let read = try client.begin(.read("/a"))
        let write = try client.begin(.write("/a", []))
        let (watch, _) = try client.establishedWatch("/b")
        let unsent = try client.begin(.write("/b", []))
        client.disconnect()
        #expect(
            client.endings() == [
                read: "disconnected", write: "outcome unknown", unsent: "disconnected",
            ])
        #expect(client.core.end?.code == .disconnected)
        #expect(throws: StoreError.self) { _ = try client.core.nextEvent(watch) }
        #expect(throws: StoreError.self) { _ = try client.begin(.read("/a")) }
    }

    @Test func aServerThatOwesTooManyRepliesIsGivenUp() throws {
        var client = CoreHarness()
        for count in 1...ClientCore.withdrawnLimit {
            let handle = try client.begin(.read("/a"))
            try client.flush()
            _ = client.withdraw(handle)
            let complaint = client.core.expire(client.now)
            #expect(complaint?.code == (count == ClientCore.withdrawnLimit ? .timedOut : nil))
        }
        client.disconnect()
        client.connect()
        #expect(client.core.requests.count == 0)
        #expect(client.core.expire(client.now) == nil)
    }

    // MARK: - Watches

    @Test func aWatchIsSetAgainAndTellsOnce() throws {
        for eventComesFirst in [false, true] {
            var client = CoreHarness()
            let (id, old) = try client.establishedWatch("/a")
            try client.receive(0, .watchEvent, "/a/pending|\(old)|")
            client.disconnect()
            client.connect()
            let request = try #require(try client.flush().first)
            let token = try CoreHarness.token(request)
            #expect(request.operation == .watch)
            #expect(token != old)
            if !eventComesFirst { try client.answer(request, "OK|") }
            try client.receive(0, .watchEvent, "/a|\(token)|")
            if eventComesFirst { try client.answer(request, "OK|") }
            try client.receive(0, .watchEvent, "/a/x|\(token)|")
            try client.receive(0, .watchEvent, "/a|\(old)|")
            #expect(try client.core.nextEvent(id) == .lookAgain)
            #expect(try client.core.nextEvent(id) == .changed("/a/x"))
            #expect(try client.core.nextEvent(id) == nil)
            #expect(client.core.counters.staleEvents == 1)
        }
    }

    @Test func watchesAreSetBeforeAnythingElseIsSent() throws {
        var client = CoreHarness()
        _ = try client.establishedWatch("/a")
        _ = try client.establishedWatch("/b")
        _ = try client.begin(.read("/c"))
        try client.flush()
        client.disconnect()
        client.connect()
        #expect(try client.flush().map(\.operation) == [.watch, .watch, .read])
    }

    @Test func aServerThatTellsNoFirstEventIsNotWaitedForLong() throws {
        var client = CoreHarness()
        let (id, _) = try client.establishedWatch("/a")
        client.disconnect()
        client.connect()
        try client.answer(try #require(try client.flush().first), "OK|")
        #expect(try client.core.nextEvent(id) == nil)
        client.now = client.now + .seconds(5)
        #expect(client.core.expire(client.now) == nil)
        #expect(client.signals() == [id])
        #expect(try client.core.nextEvent(id) == .lookAgain)
    }

    @Test func aWatchThatCannotBeSetAgainEndsWithTheServersWord() throws {
        var client = CoreHarness()
        let (id, _) = try client.establishedWatch("/a")
        client.disconnect()
        client.connect()
        try client.refuse(try #require(try client.flush().first), "EACCES")
        let error = #expect(throws: StoreError.self) { _ = try client.core.nextEvent(id) }
        #expect(error?.name == .accessDenied)
    }

    @Test func aServerThatAnswersAWatchWithRubbishIsGivenUp() throws {
        var client = CoreHarness()
        let (id, _) = try client.establishedWatch("/a")
        client.disconnect()
        client.connect()
        let request = try #require(try client.flush().first)
        let error = #expect(throws: StoreError.self) {
            try client.receive(request.requestID, .read, "x")
        }
        #expect(error?.code == .protocolViolation)
        client.disconnect()
        client.connect()
        let again = try #require(try client.flush().first)
        try client.answer(again, "OK|")
        try client.receive(0, .watchEvent, "/a|\(try CoreHarness.token(again))|")
        #expect(try client.core.nextEvent(id) == .lookAgain)
    }

    @Test func aServerThatDoesNotSetWatchesAgainIsGivenUp() throws {
        var client = CoreHarness()
        _ = try client.establishedWatch("/a")
        client.disconnect()
        client.connect()
        try client.flush()
        client.now = client.now + .seconds(5)
        #expect(client.core.expire(client.now)?.code == .timedOut)
    }

    @Test func aWatchBegunInOneEpochIsNamedForTheOneItIsSetIn() throws {
        var client = CoreHarness()
        let (id, handle) = try client.core.addWatch("/a", limit: 4, until: .never)
        _ = client.core.submit(handle)
        let first = try #require(try client.flush().first)
        client.disconnect()
        client.connect()
        let second = try #require(try client.flush().first)
        #expect(try CoreHarness.token(first) == "1.\(id.rawValue)")
        #expect(try CoreHarness.token(second) == "2.\(id.rawValue)")
        try client.answer(second, "OK|")
        #expect(client.endings() == [handle: "OK|"])
        client.removeWatch(id)
        #expect(try CoreHarness.token(try #require(try client.flush().first)) == "2.\(id.rawValue)")
    }

    // MARK: - Pauses

    @Test func pausesGrowToTheirLimitAndSpread() throws {
        let policy = ReconnectPolicy(shortestPause: .milliseconds(10), longestPause: .seconds(1))
        let shortest = (0..<12).map { policy.pause(before: $0, random: 0) }
        let longest = (0..<12).map { policy.pause(before: $0, random: .max) }
        #expect(shortest[0] == .milliseconds(5) && shortest[1] == .milliseconds(10))
        #expect(shortest[11] == .milliseconds(500))
        #expect(zip(shortest, longest).allSatisfy { $0 < $1 && $1 <= $0 * 2 })
        #expect(longest.allSatisfy { $0 <= .seconds(1) })
        #expect(policy.pause(before: .max, random: 7) <= .seconds(1))
    }

    @Test func onlyAServerThatAnswersEndsTheBackOff() throws {
        var client = CoreHarness()
        func pause(_ client: inout CoreHarness) -> Duration? {
            client.disconnect()
            guard case .lost(let retryAt) = client.core.link else { return nil }
            return Duration(
                attoseconds: retryAt.sinceEpoch.attoseconds - client.now.sinceEpoch.attoseconds)
        }
        let first = try #require(pause(&client))
        client.connect()
        let second = try #require(pause(&client))
        #expect(second == first * 2)
        client.connect()
        _ = try client.begin(.read("/a"))
        try client.answer(try #require(try client.flush().first), "x")
        #expect(pause(&client) == first)
    }
}
