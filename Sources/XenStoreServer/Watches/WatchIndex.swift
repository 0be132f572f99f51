import XenStoreWire

/// All watches by the path that they are on: finding those that a change concerns takes one look-up for each
/// level of the changed path, however many watches there are.
struct WatchIndex: Sendable {
    private var lists: [PathKey: [RegisteredWatch]] = [:]
    private var lastSerial: UInt64 = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// The number of the next watch.
    mutating func nextSerial() -> UInt64 {
        lastSerial += 1
        return lastSerial
    }

    mutating func insert(_ watch: RegisteredWatch) {
        lists[watch.path, default: []].append(watch)
        count += 1
    }

    /// Takes a watch out, and returns it.
    mutating func remove(serial: UInt64, at path: PathKey) -> RegisteredWatch? {
        guard let index = lists[path].flatMap({ Self.index(of: serial, in: $0) }) else {
            return nil
        }
        count -= 1
        let watch = lists[path]?.remove(at: index)
        if lists[path]?.isEmpty ?? false { lists[path] = nil }
        return watch
    }

    /// Appends the watches that a change concerns, in no order.
    func collect(_ path: PathKey, _ match: WatchMatch, into found: inout [RegisteredWatch]) {
        var level: UInt32 = 0
        var above: PathKey? = path
        while let key = above {
            if let list = lists[key] {
                for watch in list where Self.concerns(watch, level, match) { found.append(watch) }
            }
            guard match == .subtree || match == .specialOfDomain else { return }
            level += 1
            above = key.watchedAbove
        }
    }

    /// All watches in the order of their registration.
    var all: [RegisteredWatch] { lists.values.joined().sorted { $0.serial < $1.serial } }

    private static func concerns(
        _ watch: RegisteredWatch, _ level: UInt32, _ match: WatchMatch
    ) -> Bool {
        switch match {
        case .exact: true
        case .subtree: level <= watch.depth ?? .max
        case .special: watch.depth == nil
        case .specialOfDomain: level == 0 || level <= watch.depth ?? 0
        }
    }

    /// A list is in the order of the numbers.
    private static func index(of serial: UInt64, in list: [RegisteredWatch]) -> Int? {
        let index = list.partitionPoint { $0.serial >= serial }
        return index < list.count && list[index].serial == serial ? index : nil
    }
}
