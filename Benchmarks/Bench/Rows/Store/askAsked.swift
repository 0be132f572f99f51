import CStoreLoad
import Foundation
import Synchronization
import XenCore
import XenStoreClient
import XenStoreWire
import XenSystem

/// `xen-bench --ask CLIENT REQUEST`: a client of the store at `XENSTORED_PATH` in a process of its own, until its input
/// ends.
func askAsked(_ arguments: ArraySlice<String>) throws {
    guard arguments.count == 2, let asker = arguments.first.flatMap(StoreAsker.init(rawValue:)),
        let request = StoreRequest.allCases.first(where: { "\($0)" == arguments.last })
    else { throw UsageError(description: "--ask is for this program's own use") }
    switch asker {
    case .ours, .oursInFlight:
        let client = try StoreClient.connect()
        let tasks: UInt64 = asker == .ours ? 1 : 16
        try obey { count in
            try waiting { try await ask(client, request, count, tasks: tasks) }
        }
    case .libxenstore:
        #if LibXen
            // Safe: the handle lives as long as this process.
            guard let handle = unsafe cstore_library_open() else { throw SystemFailure("xs_open") }
            try obey { count in
                var sum: UInt64 = 0
                try unsafe StoreLoadFailure.check(
                    cstore_library_run(handle, request.work, 1000, count, &sum))
                return sum
            }
        #endif
    case .pyxs: throw UsageError(description: "pyxs is no part of this program")
    }
}

/// Does what each line of the input asks for, and reports.
private func obey(_ carry: (_ count: UInt64) throws -> UInt64) throws {
    while let line = readLine(), let count = UInt64(line) {
        let start = ContinuousClock.now
        let sum = try carry(count)
        show("\(Int(start.duration(to: .now) / .nanoseconds(1))) \(sum)")
    }
}

/// Runs an async body to its end, while this thread sleeps.
private func waiting(_ body: @escaping @Sendable () async throws -> UInt64) throws -> UInt64 {
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

/// Does `count` requests, each of the tasks one after another.
private func ask(
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
    let node = Int(item &* 7919 % 1000)
    let path = try StorePath(bytes: pathBytes(node))
    switch request {
    case .read:
        return try await client.read(path).reduce(0) { $0 &+ UInt64($1) }
    case .write:
        try await client.write(path, valueBytes(node))
        return 0
    case .transaction:
        return try await client.withTransaction { store throws(StoreError) in
            let value = try await store.read(path)
            try await store.write(path, valueBytes(node))
            return value.reduce(0) { $0 &+ UInt64($1) }
        }
    case .directory: return try await UInt64(client.directory("/list").count)
    }
}

/// Of node `AABBCC`: "/bench/AA/BB/CC", for numbers below a million.
private func pathBytes(_ node: Int) -> [UInt8] {
    var bytes = Array("/bench/AA/BB/CC".utf8)
    var rest = node
    for place in [14, 13, 11, 10, 8, 7] {
        bytes[place] = UInt8(ascii: "0") + UInt8(rest % 10)
        rest /= 10
    }
    return bytes
}

/// 8 digits.
private func valueBytes(_ node: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: UInt8(ascii: "0"), count: 8)
    var rest = node
    for place in stride(from: 7, through: 0, by: -1) {
        bytes[place] += UInt8(rest % 10)
        rest /= 10
    }
    return bytes
}
