import XenStoreWire

/// The name under which a watch is registered; never used again on its connection.
struct WatchToken: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Reads a token that a server sent; nil when it is none of ours.
    init?(bytes: [UInt8]) {
        guard let value = UInt64(decimal: bytes) else { return nil }
        rawValue = value
    }

    var bytes: [UInt8] { decimal(rawValue) }
}
