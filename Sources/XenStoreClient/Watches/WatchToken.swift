import XenCore
import XenStoreWire

/// A watch's name within the client, the same in every epoch; never used again.
struct WatchID: RawRepresentable, Hashable, Comparable, Sendable {
    let rawValue: UInt64

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The name under which a watch is registered in one epoch, as in `3.17`.
struct WatchToken: Hashable, Sendable {
    let epoch: Epoch
    let watch: WatchID

    init(_ watch: WatchID, in epoch: Epoch) {
        self.epoch = epoch
        self.watch = watch
    }

    /// Reads a token that a server sent; nil when it is none of ours.
    init?(bytes: [UInt8]) {
        guard let dot = bytes.firstIndex(of: UInt8(ascii: ".")),
            let epoch = UInt32(decimal: bytes[..<dot]),
            let watch = UInt64(decimal: bytes[(dot + 1)...])
        else { return nil }
        self.init(WatchID(rawValue: watch), in: Epoch(rawValue: epoch))
    }

    var bytes: [UInt8] {
        decimal(epoch.rawValue) + [UInt8(ascii: ".")] + decimal(watch.rawValue)
    }
}
