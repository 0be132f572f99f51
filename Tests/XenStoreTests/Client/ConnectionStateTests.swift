import Testing
import XenCore
import XenStoreServer
import XenStoreWire

@testable import XenStoreClient

/// What the client's shell makes of a request that ends before its task is suspended.
@Suite(.timeLimit(.minutes(1))) struct ConnectionStateTests {
    private let lost = StoreError(.disconnected, "cut")

    private func state(canReconnect: Bool = true) throws -> ConnectionState {
        var state = ConnectionState(ClientCore(canReconnect: canReconnect))
        state.adopt(try StoreServer().connect(as: .dom0), now: .now)
        return state
    }

    /// How a request ends that is submitted only now.
    private func result(
        of handle: RequestHandle, _ state: inout ConnectionState
    ) async -> StoreError? {
        var submitted = state
        let result = await withCheckedContinuation { continuation in
            if let result = submitted.submit(handle, continuation) {
                continuation.resume(returning: result)
            } else {
                submitted.withdraw(handle, now: .now).resume()
            }
        }
        state = submitted
        return result.failure
    }

    @Test(arguments: [false, true])
    func aTransactionsRequestMeetsALostConnection(canReconnect: Bool) async throws {
        var state = try state(canReconnect: canReconnect)
        let scope = TransactionScope(id: TransactionID(rawValue: 7), epoch: state.core.epoch)
        let handle = try state.core.reserve(.read("/a"), in: scope, until: .never)
        _ = state.lose(state.core.epoch, lost, now: .now)
        state.news().resume()
        let error = await result(of: handle, &state)
        #expect(error?.code == .conflict && error?.name == .again)
    }

    @Test func aCancelledRequestSaysSo() async throws {
        var state = try state()
        let handle = try state.core.reserve(.read("/a"), until: .never)
        state.withdraw(handle, now: .now).resume()
        state.news().resume()
        #expect(await result(of: handle, &state)?.code == .cancelled)
    }

    @Test func theEndOfTheClientIsToldToWhoeverComesLate() async throws {
        var state = try state()
        let handle = try state.core.reserve(.read("/a"), until: .never)
        _ = state.finish(lost)
        state.news().resume()
        #expect(await result(of: handle, &state) == lost)
    }
}
