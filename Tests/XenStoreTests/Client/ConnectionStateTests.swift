import Synchronization
import Testing
import XenCore
import XenStoreServer
import XenStoreWire

@testable import XenStoreClient

/// What the client's shell makes of requests that end early or come together, and of bytes that come late.
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

    /// Whoever finds many requests under way leaves its own to one write for all that follow.
    @Test func requestsAreGatheredWhileOthersAreUnderWay() throws {
        let (near, server) = try ScriptedServer.pair()
        let transport = CountingTransport(near)
        var state = ConnectionState(ClientCore())
        state.adopt(transport, now: .now)
        var gatheringCount = 0
        for _ in 0..<64 {
            _ = try state.core.begin(.read("/a"), until: .never)
            if state.transmit().mustGather { gatheringCount += 1 }
        }
        #expect(gatheringCount == 1)
        #expect(transport.writeCount == 4)
        _ = state.transmitGathered()
        #expect(transport.writeCount == 5)
        let ids = try (0..<64).map { _ in try server.nextRequest().requestID }
        #expect(Set(ids).count == 64)
    }

    @Test func bytesOfAConnectionThatWasGivenUpAreCountedAndDropped() throws {
        var state = try state()
        let first = state.core.epoch
        let rubbish = [UInt8](repeating: 0xFF, count: 100)[...]
        _ = state.lose(first, lost, now: .now)
        try state.receive(rubbish, in: first)
        #expect(state.core.counters.staleByteCount == 100)
        state.adopt(try StoreServer().connect(as: .dom0), now: .now)
        try state.receive(rubbish, in: first)
        #expect(state.core.counters.staleByteCount == 200)
        #expect(throws: StoreError.self) { try state.receive(rubbish, in: state.core.epoch) }
        #expect(state.core.counters.staleByteCount == 200)
    }
}

/// Counts what is written.
private final class CountingTransport: ByteTransport {
    private let near: SocketTransport
    private let count = Mutex(0)

    init(_ near: SocketTransport) { self.near = near }

    var writeCount: Int { count.withLock { $0 } }

    var payloadByteCountLimit: Int { near.payloadByteCountLimit }
    var isKernelDevice: Bool { false }

    func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        try near.read(into: &buffer)
    }

    func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int {
        count.withLock { $0 += 1 }
        return try near.write(bytes, from: offset)
    }

    func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError) {
        try near.wait(forWriting: forWriting, until: deadline)
    }

    func wake() { near.wake() }
    func close() { near.close() }
}
