import Synchronization
public import XenCore
public import XenStoreWire
import XenSystem

/// A connection to the store, shared by as many tasks as like.
///
///     let store = try StoreClient.connect()
///     try await store.write("data/greeting", "hello")
///     let backend = try await store.withTransaction { store throws(StoreError) in
///         try await store.readString("device/vbd/51712/backend")
///     }
///
/// One thread waits for the server; no call blocks the threads that run Swift's tasks. Every request has a deadline,
/// and ends at once when its task is cancelled.
///
/// When the server goes away the client connects again, and a new `epoch` begins. Its watches are set again, and each
/// tells `.lookAgain`; requests that change nothing are sent again; one that was sent and may have changed something
/// throws `.outcomeUnknown`; transactions begin anew. Protocol: docs/misc/xenstore.txt in Xen's source.
public final class StoreClient: StoreAccess {
    /// How long a request waits for its reply.
    public let requestTimeout: Duration

    let connection: ClientConnection
    private let thread: Mutex<PlatformThread?>

    /// Speaks to a server over any way of bytes: a socket, a device, `StoreServer.connect(as:)`. The client ends with it.
    ///
    /// Throws `.unavailable` when the system has no thread left.
    public convenience init(
        over transport: some ByteTransport, requestTimeout: Duration = .seconds(5)
    ) throws(StoreError) {
        let core = ClientCore(patience: requestTimeout, canReconnect: false)
        try self.init(SingleConnection(transport), core, requestTimeout)
    }

    /// Speaks to the server that a connector reaches, and reconnects whenever the connection is lost.
    ///
    /// Blocks until the first connection is made. Throws as the connector, or `.unavailable` when the system has no
    /// thread left.
    public convenience init(
        reconnecting connector: some StoreConnector, requestTimeout: Duration = .seconds(5),
        policy: ReconnectPolicy = ReconnectPolicy()
    ) throws(StoreError) {
        let core = ClientCore(policy: policy, patience: requestTimeout)
        try self.init(connector, core, requestTimeout)
    }

    private init(
        _ connector: any StoreConnector, _ core: ClientCore, _ requestTimeout: Duration
    ) throws(StoreError) {
        let connection = try ClientConnection(connector, core, until: .after(requestTimeout))
        self.connection = connection
        self.requestTimeout = requestTimeout
        do { thread = Mutex(try PlatformThread { connection.run() }) } catch {
            throw StoreError(.unavailable, "the store client's thread did not start: \(error)")
        }
    }

    deinit { close() }

    /// Sends a request outside of any transaction, and suspends until its reply, the deadline or cancellation.
    public func perform(_ request: Request) async throws(StoreError) -> [UInt8] {
        try await connection.perform(request, in: .none, until: requestDeadline)
    }

    /// Sends any request, with a deadline of its own. Once that has passed nothing is sent: `.timedOut`.
    public func perform(
        _ request: Request, until deadline: Deadline
    ) async throws(StoreError) -> [UInt8] {
        guard !deadline.hasPassed else { throw .unsent(request) }
        return try await connection.perform(request, in: .none, until: deadline)
    }

    /// Tells of changes at and below a path, from now until the returned value is let go of.
    ///
    /// At most `limit` events wait to be taken; then they become one `.overflow`. Throws as `StoreAccess`.
    ///
    /// - Parameter depth: how many names below the path a change may be to be told of; nil for any. A server takes it
    ///   if it offers `ServerFeatures.watchDepth`; another refuses it, or ignores it, as Linux's device does.
    public func watch(
        _ path: StorePath, depth: UInt32? = nil, limit: Int = 256
    ) async throws(StoreError) -> StoreWatch {
        try await watch(path, depth: depth, limit: limit, until: requestDeadline)
    }

    /// Sets a watch, with a deadline of its own.
    func watch(
        _ path: StorePath, depth: UInt32? = nil, limit: Int, until deadline: Deadline
    ) async throws(StoreError) -> StoreWatch {
        let id = try await connection.addWatch(path, depth: depth, limit: limit, until: deadline)
        return StoreWatch(path, id, self)
    }

    /// Ends the connection: whoever waits is told `.disconnected`. Blocks until the thread has ended, which is soon.
    public func close() {
        connection.close(StoreError(.disconnected, "the connection was closed by this program"))
        thread.withLock { $0.take() }?.join()
    }

    /// Why the client has ended; nil while it lasts. A connection that is lost and will be made again is no end.
    public var disconnection: StoreError? { connection.end }

    /// What the server sent and nobody waited for.
    public var counters: ClientCounters { connection.counters }

    var requestDeadline: Deadline { .after(requestTimeout) }
}
