import Testing
import XenCore
import XenStoreWire

@testable import XenStoreClient

/// What the client's core keeps, however many requests there are.
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
}
