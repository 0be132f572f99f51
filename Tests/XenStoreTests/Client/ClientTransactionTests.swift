import Testing
import XenCore
import XenStoreServer
import XenStoreWire

@testable import XenStoreClient

/// Transactions that come to nothing leave nothing open at the server.
@Suite(.timeLimit(.minutes(1))) struct ClientTransactionTests {
    /// How far a commit has come when nobody waits for it any more, and what follows it.
    static let table: [(wasSent: Bool, isLate: Bool, abortCount: Int)] = [
        (false, false, 1), (false, true, 1), (true, false, 0), (true, true, 0),
    ]

    @Test(arguments: table)
    func aCommitThatIsNotSentIsAnAbort(wasSent: Bool, isLate: Bool, abortCount: Int) throws {
        var client = CoreHarness()
        let scope = TransactionScope(id: TransactionID(rawValue: 7), epoch: client.core.epoch)
        let handle = try client.begin(
            .transactionEnd(commit: true), in: scope, within: .seconds(1))
        if wasSent { try client.flush() }
        if isLate {
            #expect(client.pass(.seconds(1)) == nil)
        } else {
            #expect(client.withdraw(handle)?.code == .cancelled)
        }
        let sent = try client.flush()
        let abort = Request.transactionEnd(commit: false)
        #expect(sent.map(\.payload) == Array(repeating: abort.payload, count: abortCount))
        #expect(sent.allSatisfy { $0.operation == .transactionEnd && $0.transaction == scope.id })
    }

    @Test func aCommitForWhichThereIsNoRoomIsAnAbort() throws {
        var client = CoreHarness()
        let scope = TransactionScope(id: TransactionID(rawValue: 7), epoch: client.core.epoch)
        for _ in 0..<ClientCore.requestLimit { _ = try client.begin(.read("/a")) }
        let error = #expect(throws: StoreError.self) {
            _ = try client.begin(.transactionEnd(commit: true), in: scope)
        }
        #expect(error?.code == .limitReached)
        let last = try #require(try client.flush().last)
        #expect(last.transaction == scope.id)
        #expect(last.payload == Request.transactionEnd(commit: false).payload)
    }

    @Test func aTransactionOfACancelledTaskIsNotLeftOpen() async throws {
        let server = try StoreServer()
        let client = try server.client(0)
        for _ in 0..<10 {
            let task = Task {
                try await client.withTransaction { store throws(StoreError) in
                    _ = try? await store.read("/a")
                    // Safe: the task is used only in here.
                    unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                }
            }
            #expect((await task.result.failure as? StoreError)?.code == .cancelled)
        }
        // The server carries requests out in their order.
        _ = try await client.exists("/a")
        #expect(server.connections.map(\.transactionCount) == [0])
    }
}
