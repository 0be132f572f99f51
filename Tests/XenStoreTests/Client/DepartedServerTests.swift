import Testing
import XenCore
import XenStoreClient
import XenStoreWire

/// A server that says something and goes, just before the client sends its next request: what it said counts.
@Suite(.timeLimit(.minutes(1))) struct DepartedServerTests {
    @Test(arguments: 0..<8) func anAnswerIsReadBeforeTheEnd(_: Int) async throws {
        let (transport, server) = try DepartingTransport.pair()
        let client = try StoreClient(over: transport, requestTimeout: .seconds(20))
        let first = Task { try await client.readString("/a") }
        let request = try server.nextRequest()
        transport.atNextWrite(.before) {
            try server.answer(request, "answered")
            server.close()
        }
        let second = Task { try await client.readString("/b") }
        #expect(try await first.value == "answered")
        #expect((await second.result.failure as? StoreError)?.code == .disconnected)
    }

    @Test func aBlockingClientHearsTheLastEvent() throws {
        let (transport, server) = try DepartingTransport.pair()
        let client = try BlockingStoreClient(over: transport, requestTimeout: .seconds(20))
        transport.atNextWrite(.after) {
            let request = try server.nextRequest()
            try server.answer(request, "OK\0")
            transport.atNextWrite(.before) {
                let token = try #require(Fields.all(request.payload)?.last)
                let event = Fields.encode([Array("/a/b".utf8), Array(token)])
                try server.send(try Packet(.watchEvent, requestID: 0, payload: event).bytes)
                server.close()
            }
        }
        let watch = try client.watch("/a")
        let unanswered = #expect(throws: StoreError.self) { _ = try client.read("/a") }
        #expect(unanswered?.code == .disconnected)
        let last = try client.nextEvent(until: .now)
        #expect(last == (watch, .changed("/a/b")))
        let end = #expect(throws: StoreError.self) { _ = try client.nextEvent(until: .now) }
        #expect(end?.code == .disconnected)
    }
}
