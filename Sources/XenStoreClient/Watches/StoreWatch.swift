public import XenCore
public import XenStoreWire

/// The events of one watch. Taking them is for one task at a time; letting go of the watch ends it.
///
///     for try await event in try await client.watch("/local/domain/3/device") { ... }
public final class StoreWatch: AsyncSequence, Sendable {
    public typealias Element = WatchEvent
    public typealias Failure = StoreError

    public let path: StorePath
    private let client: StoreClient
    private let id: WatchID

    init(_ path: StorePath, _ id: WatchID, _ client: StoreClient) {
        self.path = path
        self.id = id
        self.client = client
    }

    deinit { client.connection.endWatch(id) }

    /// The next event, as soon as there is one.
    ///
    /// A lost connection is no end: the watch is set again, and tells `.lookAgain`. Throws `.timedOut` at the deadline
    /// (the watch goes on), `.cancelled`, `.refused` when the server would not set it again, and `.disconnected` once the
    /// client has ended; the latter two after all earlier events are taken.
    public func next(until deadline: Deadline? = nil) async throws(StoreError) -> WatchEvent {
        try await client.connection.nextEvent(id, until: deadline ?? .never)
    }

    public func makeAsyncIterator() -> Iterator { Iterator(watch: self) }

    public struct Iterator: AsyncIteratorProtocol {
        let watch: StoreWatch

        public mutating func next(
            isolation: isolated (any Actor)? = #isolation
        ) async throws(StoreError) -> WatchEvent? {
            try await watch.next()
        }
    }
}
