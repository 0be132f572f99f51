import XenCore
import XenStoreWire

/// What the core keeps of a connection.
struct StoreConnection: Sendable {
    /// Path and token, by which a client names a watch.
    struct WatchName: Hashable, Sendable {
        let path: PathKey
        let token: [UInt8]
    }

    let id: ConnectionID
    let holder: Incarnation
    /// `/local/domain/N/`, in front of its relative paths.
    let home: [UInt8]
    /// The numbers of its watches.
    var watches: [WatchName: UInt64] = [:]
    /// Bytes of its watches.
    var watchMemory = 0
    /// Where its open transactions lie.
    var transactions = TransactionPlaces()
    var lastTransaction: UInt32 = 0

    init(_ id: ConnectionID, for holder: Incarnation) {
        self.id = id
        self.holder = holder
        home = PathKey.home(of: holder.domain).bytes + [UInt8(ascii: "/")]
    }
}
