import XenStoreWire

/// The events of one watch that nobody has taken yet. Bounded: what does not fit becomes one overflow event.
struct WatchQueue: Sendable {
    private var paths: [StorePath] = []
    private var hasOverflown = false
    private var end: StoreError?
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func add(_ path: StorePath) {
        // An event that already waits says as much.
        guard end == nil, paths.last != path else { return }
        guard paths.count < limit else {
            hasOverflown = true
            return
        }
        paths.append(path)
    }

    /// Lets what waits be taken, then throws `error` for ever.
    mutating func finish(_ error: StoreError) { end = end ?? error }

    /// The oldest event; nil when none waits.
    mutating func next() throws(StoreError) -> WatchEvent? {
        if !paths.isEmpty { return .changed(paths.removeFirst()) }
        if hasOverflown {
            hasOverflown = false
            return .overflow
        }
        if let end { throw end }
        return nil
    }
}
