import XenStoreClient
import XenStoreWire

/// Does `count` requests, one after another.
func ask(
    _ client: BlockingStoreClient, _ request: StoreRequest, _ count: UInt64
) throws(StoreError) -> UInt64 {
    var sum = count
    for item in 0..<count { sum &+= try askOnce(client, request, item) }
    return sum
}

/// The sum of the bytes that it read.
private func askOnce(
    _ client: BlockingStoreClient, _ request: StoreRequest, _ item: UInt64
) throws(StoreError) -> UInt64 {
    let node = NodeNumber(ofItem: item)
    let path = try StorePath(bytes: node.path)
    switch request {
    case .read:
        return try client.read(path).reduce(0) { $0 &+ UInt64($1) }
    case .write:
        try client.write(path, node.value)
        return 0
    case .transaction:
        return try client.withTransaction { store throws(StoreError) in
            let value = try store.read(path)
            try store.write(path, node.value)
            return value.reduce(0) { $0 &+ UInt64($1) }
        }
    case .directory: return try UInt64(client.directory("/list").count)
    }
}
