import DequeModule
import XenStoreWire

/// The events of one watch that nobody has taken yet. Bounded: what does not fit becomes one overflow event.
struct WatchQueue: Sendable {
    private var paths: Deque<StorePath> = []
    private var hasOverflown = false
    private var mustLookAgain = false
    private var end: StoreError?
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Whether something waits, if only the end.
    var isReady: Bool { mustLookAgain || !paths.isEmpty || hasOverflown || end != nil }

    mutating func add(_ path: StorePath) {
        // An event that already waits says as much.
        guard end == nil, paths.last != path else { return }
        guard paths.count < limit else {
            hasOverflown = true
            return
        }
        paths.append(path)
    }

    /// All may have changed, which says more than what waits.
    mutating func lookAgain() {
        guard end == nil else { return }
        mustLookAgain = true
        hasOverflown = false
        paths.removeAll(keepingCapacity: true)
    }

    /// Lets what waits be taken, then throws `error` for ever.
    mutating func finish(_ error: StoreError) { end = end ?? error }

    /// The oldest event; nil when none waits.
    mutating func next() throws(StoreError) -> WatchEvent? {
        if mustLookAgain {
            mustLookAgain = false
            return .lookAgain
        }
        if let path = paths.popFirst() { return .changed(path) }
        if hasOverflown {
            hasOverflown = false
            return .overflow
        }
        if let end { throw end }
        return nil
    }
}
