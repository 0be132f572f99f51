import ArgumentParser
import Synchronization
import XenCore
import XenStoreClient
import XenSystem
import XenTesting

/// A rendezvous of dom0 and a guest in the guest's corner of the store: each writes numbered nodes below its own folder, and
/// the other one removes them when it has read them. For one thread, which is none of Swift's tasks.
final class StoreRendezvous: Rendezvous {
    private let store: StoreClient
    private let outbox, inbox: StorePath
    private let arrivals: StoreWatch
    private let counts = Mutex((sent: 0, received: 0))

    init(_ domain: DomainID, peer: DomainID) async throws {
        let folder = try StorePath.home(of: domain == .dom0 ? peer : domain)
            .appending("data/lab/rings")
        store = try StoreClient.connect(requestTimeout: .seconds(30))
        outbox = try folder.appending(StorePath("from-\(domain.rawValue)"))
        inbox = try folder.appending(StorePath("from-\(peer.rawValue)"))
        arrivals = try await store.watch(inbox)
    }

    /// Waits until the other half has come, which may still have to boot.
    func meet(until deadline: Deadline) throws {
        try send("here")
        guard try receive(until: deadline) == "here" else {
            throw ValidationError("the other half has not come")
        }
    }

    func send(_ text: String) throws {
        let number = counts.withLock { counts in
            counts.sent += 1
            return counts.sent
        }
        try blocking { [self] in
            try await store.write(outbox.appending(StorePath("\(number)")), text)
        }
    }

    func receive(until deadline: Deadline) throws -> String? {
        try blocking { [self] in try await next(until: deadline) }
    }

    private func next(until deadline: Deadline) async throws -> String? {
        let node = try inbox.appending(StorePath("\(counts.withLock { $0.received } + 1)"))
        while true {
            if let text = try await take(node) { return text }
            guard !deadline.hasPassed else { return nil }
            do {
                _ = try await arrivals.next(until: deadline)
            } catch {
                // At the deadline it looks once more: events are hints.
                guard error.code == .timedOut else { throw error }
            }
        }
    }

    /// Nil if there is no such node yet.
    private func take(_ node: StorePath) async throws -> String? {
        let text: String
        do {
            text = try await store.readString(node)
        } catch {
            guard error.name == .noEntry else { throw error }
            return nil
        }
        try await store.remove(node)
        counts.withLock { $0.received += 1 }
        return text
    }
}

/// Runs a task to its end, while this thread waits. What it waits for has deadlines of its own.
private func blocking<Value: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Value
) throws -> Value {
    let outcome = Outcome<Value>()
    Task {
        let result: Result<Value, any Error>
        do { result = .success(try await operation()) } catch { result = .failure(error) }
        outcome.result.withLock { $0 = result }
        outcome.isThere.signal()
    }
    while true {
        outcome.isThere.wait(until: nil)
        if let result = outcome.result.withLock({ $0 }) { return try result.get() }
    }
}

private final class Outcome<Value: Sendable>: Sendable {
    let result = Mutex<Result<Value, any Error>?>(nil)
    let isThere = ThreadSignal()
}
