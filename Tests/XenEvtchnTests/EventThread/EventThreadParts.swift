import Synchronization
import XenCore
import XenEvtchn

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
