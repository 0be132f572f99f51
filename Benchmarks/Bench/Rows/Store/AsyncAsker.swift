import Synchronization
import XenStoreClient
import XenStoreWire
import XenSystem

/// Does `count` requests, each of the tasks one after another.
func ask(
    _ client: StoreClient, _ request: StoreRequest, _ count: UInt64, tasks: UInt64
) async throws -> UInt64 {
    guard tasks > 1 else { return try await askInTurn(client, request, 0..<count, by: 1) }
    return try await withThrowingTaskGroup(of: UInt64.self) { group in
        for first in 0..<tasks {
            group.addTask { try await askInTurn(client, request, first..<count, by: tasks) }
        }
        return try await group.reduce(0, &+)
    }
}

private func askInTurn(
    _ client: StoreClient, _ request: StoreRequest, _ items: Range<UInt64>, by step: UInt64
) async throws -> UInt64 {
    var (item, sum): (UInt64, UInt64) = (items.lowerBound, 0)
    while item < items.upperBound {
        let read = try await askOnce(client, request, item)
        sum &+= read &+ 1
        item += step
    }
    return sum
}

/// The sum of the bytes that it read.
private func askOnce(
    _ client: StoreClient, _ request: StoreRequest, _ item: UInt64
) async throws(StoreError) -> UInt64 {
    let node = NodeNumber(ofItem: item)
    let path = try StorePath(bytes: node.path)
    switch request {
    case .read:
        return try await client.read(path).reduce(0) { $0 &+ UInt64($1) }
    case .write:
        try await client.write(path, node.value)
        return 0
    case .transaction:
        return try await client.withTransaction { store throws(StoreError) in
            let value = try await store.read(path)
            try await store.write(path, node.value)
            return value.reduce(0) { $0 &+ UInt64($1) }
        }
    case .directory: return try await UInt64(client.directory("/list").count)
    }
}

/// Runs an async body to its end, while this thread sleeps.
func waiting(_ body: @escaping @Sendable () async throws -> UInt64) throws -> UInt64 {
    let (signal, result) = (ThreadSignal(), Later())
    Task {
        do { result.set(.success(try await body())) } catch { result.set(.failure(error)) }
        signal.signal()
    }
    _ = signal.wait(until: nil)
    return try result.get()
}

private final class Later: Sendable {
    private let value = Mutex<Result<UInt64, any Error>>(.success(0))
    func set(_ result: Result<UInt64, any Error>) { value.withLock { $0 = result } }
    func get() throws -> UInt64 { try value.withLock { $0 }.get() }
}
