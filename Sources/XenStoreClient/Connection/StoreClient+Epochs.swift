public import XenCore
public import XenStoreWire

extension StoreClient {
    /// The epoch of the current connection, or of the last one while there is none.
    public var epoch: Epoch { connection.epoch }

    /// Suspends until there is a connection of a later epoch, and returns its epoch.
    ///
    /// Throws `.timedOut`, `.cancelled`, and what ended the client.
    public func nextEpoch(
        after last: Epoch, until deadline: Deadline
    ) async throws(StoreError) -> Epoch {
        try await connection.nextEpoch(after: last, until: deadline)
    }

    /// The epochs from now on, the current one first. A reader that is slow sees the latest.
    public var epochs: StoreEpochs { StoreEpochs(client: self) }
}

/// The epochs of a client, as they begin.
public struct StoreEpochs: AsyncSequence, Sendable {
    public typealias Element = Epoch
    public typealias Failure = StoreError

    let client: StoreClient

    public func makeAsyncIterator() -> Iterator { Iterator(client: client) }

    public struct Iterator: AsyncIteratorProtocol {
        let client: StoreClient
        private var last = Epoch.none

        init(client: StoreClient) { self.client = client }

        public mutating func next(
            isolation: isolated (any Actor)? = #isolation
        ) async throws(StoreError) -> Epoch? {
            last = try await client.connection.nextEpoch(after: last, until: .never)
            return last
        }
    }
}
