import Testing
import XenStoreClient

@testable import xs

/// What becomes of errors: a status and a message.
@Suite struct ToolFailureTests {
    @Test(
        arguments: [
            (StoreError(.refused, name: .noEntry, "READ /a: no such node"), 1),
            (StoreError(.refused, name: .noSpace, "x"), 2),
            (StoreError(.refused, name: .invalid, "x"), 2),
            (StoreError(.refused, name: .notImplemented, "x"), 2),
            (StoreError(.refused, name: StoreErrorName(rawValue: "EWHATEVER"), "x"), 2),
            (StoreError(.refused, name: .accessDenied, "x"), 77),
            (StoreError(.refused, name: .notPermitted, "x"), 77),
            (StoreError(.refused, name: .again, "x"), 75),
            (StoreError(.refused, name: .busy, "x"), 75),
            (StoreError(.conflict, name: .again, "x"), 75), (StoreError(.timedOut, "x"), 75),
            (StoreError(.limitReached, "x"), 75), (StoreError(.invalidPath, "x"), 64),
            (StoreError(.tooLong, "x"), 64), (StoreError(.unavailable, name: .noEntry, "x"), 69),
            (StoreError(.disconnected, "x"), 69), (StoreError(.outcomeUnknown, "x"), 3),
            (StoreError(.protocolViolation, "x"), 76),
        ] as [(StoreError, Int32)])
    func statuses(_ error: StoreError, _ status: Int32) {
        #expect(ToolFailure(error).status.rawValue == status)
    }

    @Test func theServersWordIsTold() {
        let failure = ToolFailure(StoreError(.refused, name: .noEntry, "READ /a: no such node"))
        #expect(failure.message == "READ /a: no such node (ENOENT)")
        #expect(ToolFailure(StoreError(.timedOut, "no answer")).message == "no answer")
    }
}
