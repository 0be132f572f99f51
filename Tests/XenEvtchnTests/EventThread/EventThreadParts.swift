import Synchronization
import XenCore
import XenEvtchn
import XenSystem

/// A box of messages: what a ring is to a driver.
final class Box: Sendable {
    let messageCount = Atomic(0)
    let handledCount = Atomic(0)

    func handle(_ turn: EventThread.Turn) -> EventThread.Outcome {
        let count = messageCount.exchange(0, ordering: .sequentiallyConsistent)
        handledCount.add(count, ordering: .sequentiallyConsistent)
        return .emptied(handled: count)
    }

    func put() { messageCount.add(1, ordering: .sequentiallyConsistent) }
    var handled: Int { handledCount.load(ordering: .sequentiallyConsistent) }
}

/// Set once, by any thread.
final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .sequentiallyConsistent) }
    func set() { value.store(true, ordering: .sequentiallyConsistent) }
}

/// Holds a served channel, to be closed by whoever comes first.
final class Slot: Sendable {
    private let channel = Mutex<ServedChannel?>(nil)

    func put(_ served: consuming ServedChannel) {
        var served: ServedChannel? = consume served
        channel.withLock { swap(&$0, &served) }
    }

    /// - Returns: whether there was one.
    func closeIfThere() -> Bool {
        guard let served = channel.withLock({ $0.take() }) else { return false }
        try? served.close()
        return true
    }
}

/// An actor that runs on an event thread.
actor Counter {
    let thread: EventThread
    private(set) var total = 0

    init(_ thread: EventThread) { self.thread = thread }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // Safe: this actor keeps the thread.
        unsafe thread.asUnownedSerialExecutor()
    }

    func add(_ count: Int) {
        thread.checkIsolated()
        total += count
    }

    func stop() async throws { try await thread.stop(until: patience) }
}

/// What an action threw: nil if it came to a good end.
func failure(of action: () async throws -> Void) async -> EventChannelError? {
    do {
        try await action()
        return nil
    } catch {
        return error as? EventChannelError
    }
}

/// With which codes a task's wait, a sequence of batches and a blocked thread's wait end; nil for one that ends well.
struct Endings: Equatable {
    let codes: [EventChannelError.Code?]

    init(all code: EventChannelError.Code) { codes = [code, code, code] }

    /// Waits in vain for this port, until something happens that ends all waits.
    init(
        of thread: EventThread, waitingFor id: EventThread.PortID, when happening: () throws -> Void
    ) async throws {
        let count = try thread.activationCount(of: id) + 9
        async let task = failure {
            _ = try await thread.wait(for: id, after: count, until: patience)
        }
        async let sequence = failure { for try await _ in thread.batches() {} }
        let blocked = Mutex<EventChannelError.Code?>(nil)
        let waiter = try PlatformThread {
            let code = refusal { () throws(EventChannelError) in
                _ = try thread.waitBlocking(for: id, after: count, until: patience)
            }
            blocked.withLock { $0 = code }
        }
        // Likely, but not certainly, they wait by then: they have to end in either case.
        try? pause(.milliseconds(5))
        try happening()
        waiter.join()
        codes = [await task?.code, await sequence?.code, blocked.withLock { $0 }]
    }
}
