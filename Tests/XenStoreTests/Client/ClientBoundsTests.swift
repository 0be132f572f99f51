import Testing
import XenCore
import XenStoreWire

@testable import XenStoreClient

/// What the client's core keeps, however many requests and watches there are, and whatever is never answered.
@Suite struct ClientBoundsTests {
    // MARK: - What waits to be sent

    @Test func aWriteIsSentOnceHoweverManyRequestsEndedBeforeIt() throws {
        var client = CoreHarness()
        client.disconnect()
        // As many as one slot's handles can be told apart.
        for _ in 0..<4095 { _ = client.withdraw(try client.begin(.read("/a"))) }
        let handle = try client.begin(.write("/a", [1]))
        client.connect()
        let sent = try client.flush()
        #expect(sent.map(\.operation) == [.write])
        try client.answer(try #require(sent.first), "OK|")
        #expect(client.endings() == [handle: "OK|"])
        #expect(client.core.unansweredCount == 0)
    }

    @Test(arguments: [false, true])
    func whatEndsBeforeItIsSentIsNotKept(isConnected: Bool) throws {
        var client = CoreHarness()
        if !isConnected { client.disconnect() }
        let paths = try (0..<50).map { try path("/\($0)") }
        for path in paths {
            _ = try client.begin(.write(path, []))
            for _ in 0..<1000 { _ = client.withdraw(try client.begin(.read("/a"))) }
        }
        #expect(client.core.queue.count <= 2 * ClientCore.requestLimit)
        if !isConnected { client.connect() }
        #expect(
            try client.flush().map(\.payload) == paths.map { Request.write($0, []).payload })
    }

    // MARK: - Watches

    /// Each batch of them takes its time, and another one begins.
    @Test func moreWatchesThanSlotsAreAllSetAgain() throws {
        var client = CoreHarness()
        let ids = try (0..<5000).map { _ in try client.establishedWatch("/a").id }
        client.disconnect()
        client.connect()
        var tokens: Set<String> = []
        while true {
            let requests = try client.flush()
            if requests.isEmpty { break }
            for request in requests {
                let token = try CoreHarness.token(request)
                tokens.insert(token)
                try client.answer(request, "OK|")
                try client.receive(0, .watchEvent, "/a|\(token)|")
            }
            #expect(client.pass(.seconds(4)) == nil)
        }
        #expect(tokens.count == 5000)
        #expect(Set(client.signals()) == Set(ids))
        #expect(try ids.allSatisfy { try client.core.nextEvent($0) == .lookAgain })
    }

    @Test func watchesAreSetAgainThoughAllSlotsAreTaken() throws {
        var client = CoreHarness()
        let (id, _) = try client.establishedWatch("/a")
        while (try? client.begin(.read("/b"))) != nil {}
        try client.flush()
        client.disconnect()
        client.connect()
        let request = try #require(try client.flush().first)
        #expect(request.operation == .watch)
        try client.answer(request, "OK|")
        try client.receive(0, .watchEvent, "/a|\(try CoreHarness.token(request))|")
        #expect(try client.core.nextEvent(id) == .lookAgain)
    }

    @Test func aWatchThatEndsMeanwhileIsNotSetAgain() throws {
        var client = CoreHarness()
        let ids = try (0...ClientCore.restorationLimit).map { _ in
            try client.establishedWatch("/a").id
        }
        client.disconnect()
        client.connect()
        client.removeWatch(try #require(ids.last))
        let sent = try client.flush()
        for request in sent { try client.answer(request, "OK|") }
        #expect(client.pass(.zero) == nil)
        #expect(try client.flush() == [])
        #expect(sent.filter { $0.operation == .watch }.count == ClientCore.restorationLimit)
    }

    @Test(arguments: [1, 5000])
    func aWatchThatIsNotSetAgainDoesNotTellSo(count: Int) throws {
        var client = CoreHarness()
        for _ in 0..<count { _ = try client.establishedWatch("/a") }
        client.disconnect()
        client.connect()
        #expect(client.pass(.seconds(5))?.code == .timedOut)
        #expect(client.signals() == [])
    }

    // MARK: - What is never answered

    @Test(arguments: [false, true])
    func aServerThatOwesTooManyRepliesToTidyingUpIsGivenUp(isRead: Bool) throws {
        var client = CoreHarness()
        for _ in 0..<ClientCore.withdrawnLimit {
            client.removeWatch(try client.establishedWatch("/a").id)
            if isRead { try client.flush() }
        }
        #expect(client.pass(.seconds(4)) == nil)
        #expect(client.pass(.seconds(1))?.code == .timedOut)
        client.disconnect()
        client.connect()
        #expect(client.core.requests.count == 0)
        #expect(client.core.withdrawnCount == 0)
        #expect(try client.flush() == [])
    }

    @Test func tidyingUpIsSentHoweverLateTheServerReads() throws {
        var client = CoreHarness()
        client.removeWatch(try client.establishedWatch("/a").id)
        #expect(client.pass(.seconds(60)) == nil)
        let sent = try client.flush()
        #expect(sent.map(\.operation) == [.unwatch])
        try client.answer(try #require(sent.first), "OK|")
        #expect(client.core.requests.count == 0)
    }

    @Test(arguments: [false, true])
    func aDeviceThatLosesAReplyIsOpenedAgain(isCancelled: Bool) throws {
        let device = LinkTraits(isKernelDevice: true)
        var client = CoreHarness(traits: device)
        let first = try client.begin(.read("/a"), within: .seconds(isCancelled ? 1000 : 2))
        try client.flush()
        let second = try client.begin(.write("/b", []), within: .seconds(60))
        if isCancelled {
            _ = client.withdraw(first)
        } else {
            #expect(client.pass(.seconds(2)) == nil)
        }
        #expect(client.pass(.seconds(4)) == nil)
        #expect(try client.flush() == [])
        #expect(client.core.nextLook == client.now + .seconds(1))
        #expect(client.pass(.seconds(1))?.code == .timedOut)
        client.disconnect()
        client.connect(device)
        let sent = try client.flush()
        #expect(sent.map(\.operation) == [.write])
        try client.answer(try #require(sent.first), "OK|")
        #expect(client.endings()[second] == "OK|")
        #expect(client.pass(.seconds(60)) == nil)
    }

    @Test func aServerThatAnswersOutOfOrderIsNotGivenUpForOneReply() throws {
        var client = CoreHarness()
        let handle = try client.begin(.read("/a"))
        try client.flush()
        _ = client.withdraw(handle)
        #expect(client.pass(.seconds(60)) == nil)
    }
}
