public import XenCore
public import XenStoreWire
import XenSystem

/// A connection to the store for a program, or a thread, that may block: it has no other thread, and no task. (Only over
/// the kernel's device a thread writes.)
///
///     let store = try BlockingStoreClient.connect()
///     try store.write("data/greeting", "hello")
///
/// For one thread at a time. A request costs two system calls on a socket. It keeps to the same rules as `StoreClient`,
/// whose core it shares: deadlines, epochs, watches that are set again. While no call is in progress nothing
/// happens; events that come meanwhile wait in the socket, those that come during a call in their watch's queue.
public final class BlockingStoreClient {
    /// How long a request waits for its reply.
    public let requestTimeout: Duration

    private let connector: any StoreConnector
    private var transport: (any ByteTransport)?
    private var buffer = [UInt8](repeating: 0, count: 1 << 14)
    var core: ClientCore
    private var stepCount = 0

    /// How many times it reads from a server that takes nothing any more.
    private static let readLimit = 64

    /// Speaks to a server over any way of bytes. The client ends with it.
    public convenience init(
        over transport: some ByteTransport, requestTimeout: Duration = .seconds(5)
    ) throws(StoreError) {
        let core = ClientCore(patience: requestTimeout, canReconnect: false)
        try self.init(SingleConnection(transport), core, requestTimeout)
    }

    /// Speaks to the server that a connector reaches, and reconnects whenever the connection is lost.
    ///
    /// Blocks until the first connection is made. Throws as the connector.
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
        self.connector = connector
        self.core = core
        self.requestTimeout = requestTimeout
        adopt(try connector.firstConnection(until: .after(requestTimeout), core.policy))
    }

    deinit { transport?.close() }

    /// Connects as `StoreClient.connect(requestTimeout:)` does.
    public static func connect(requestTimeout: Duration = .seconds(5)) throws(StoreError)
        -> BlockingStoreClient
    {
        try StoreLocation.connect { path throws(StoreError) in
            try connect(path: path, requestTimeout: requestTimeout)
        }
    }

    /// Connects to a server's unix socket, or to the kernel's xenbus device, and again whenever that is lost.
    ///
    /// Throws `.unavailable`, saying what is wrong with the path and what to do.
    public static func connect(
        path: String, requestTimeout: Duration = .seconds(5)
    ) throws(StoreError) -> BlockingStoreClient {
        try BlockingStoreClient(
            reconnecting: DescriptorConnector(path: path), requestTimeout: requestTimeout)
    }

    /// The epoch of the current connection, or of the last one while there is none.
    public var epoch: Epoch { core.epoch }

    /// What the server sent and nobody waited for.
    public var counters: ClientCounters { core.counters }

    /// Why the client has ended; nil while it lasts.
    public var disconnection: StoreError? { core.end }

    var requestDeadline: Deadline { .after(requestTimeout) }

    // MARK: - Requests

    /// Sends a request and blocks until its reply or its deadline. Once that has passed nothing is sent: `.timedOut`.
    ///
    /// Throws as `StoreAccess`.
    public func perform(
        _ request: Request, until deadline: Deadline? = nil
    ) throws(StoreError) -> [UInt8] {
        if let deadline, deadline.hasPassed { throw .unsent(request) }
        return try perform(request, in: .none, until: deadline ?? requestDeadline).payload
    }

    func perform(
        _ request: Request, in scope: TransactionScope, until deadline: Deadline
    ) throws(StoreError) -> ClientCore.Answer {
        let handle = try core.begin(request, in: scope, until: deadline)
        while true {
            if let result = core.takeCompletion(of: handle) { return try result.get() }
            advance(until: deadline)
        }
    }

    /// Sends many requests, and blocks until each has its reply or the deadline has passed. Up to `window` of them are
    /// on their way at a time. The server carries them out in this order. One that fails stops no other.
    public func perform(
        contentsOf requests: some Sequence<Request>, window: Int = 256,
        until deadline: Deadline? = nil
    ) -> [Result<[UInt8], StoreError>] {
        let deadline = deadline ?? requestDeadline
        var results: [Result<[UInt8], StoreError>] = []
        var places: [RequestHandle: Int] = [:]
        for request in requests {
            results.append(.failure(StoreError(.timedOut, "\(request) was not answered")))
            if places.count >= max(1, window) {
                // Down to half, so that the next ones go out together.
                while places.count > window / 2 { collect(&results, &places, deadline) }
            }
            do throws(StoreError) {
                places[try core.begin(request, until: deadline)] = results.count - 1
            } catch { results[results.count - 1] = .failure(error) }
        }
        while !places.isEmpty { collect(&results, &places, deadline) }
        return results
    }

    private func collect(
        _ results: inout [Result<[UInt8], StoreError>], _ places: inout [RequestHandle: Int],
        _ deadline: Deadline
    ) {
        if core.completions.isEmpty { advance(until: deadline) }
        for completion in core.completions {
            guard let place = places.removeValue(forKey: completion.handle) else { continue }
            results[place] = completion.result.map(\.payload)
        }
        core.completions.removeAll(keepingCapacity: true)
    }

    // MARK: - Steps

    /// Does what can be done now, and blocks for what comes next, at most until the deadline.
    func advance(until deadline: Deadline) {
        let deadline = min(deadline, core.nextLook)
        stepCount &+= 1
        switch core.link {
        case .ended: return
        case .lost(let retryAt): reconnect(at: retryAt, until: deadline)
        case .connected:
            do throws(StoreError) {
                // Where something comes all the time the clock is not asked every time.
                if try exchange(until: deadline), stepCount % 16 != 0 { return }
            } catch { lose(error) }
        }
        if core.nextLook.hasPassed, let failure = core.expire(.now) { lose(failure) }
    }

    /// Sends what there is, and receives what comes. False when nothing came.
    private func exchange(until deadline: Deadline) throws(StoreError) -> Bool {
        guard let transport else { return false }
        let isBlocked: Bool
        do throws(StoreError) { isBlocked = try transmit(transport) } catch {
            try receiveAll(transport)
            throw error
        }
        // Something may have ended without being sent.
        guard core.completions.isEmpty else { return true }
        if isBlocked { try transport.wait(forWriting: true, until: deadline) }
        let count =
            isBlocked
            ? try transport.read(into: &buffer)
            : try transport.read(into: &buffer, until: deadline)
        guard let count else { return false }
        try receive(count)
        return true
    }

    private func receive(_ count: Int) throws(StoreError) {
        guard count > 0 else { throw .serverHasClosed }
        try core.receive(buffer[..<count])
    }

    /// Reads what the server said before it went, which counts.
    private func receiveAll(_ transport: any ByteTransport) throws(StoreError) {
        for _ in 0..<Self.readLimit {
            guard let count = try transport.read(into: &buffer) else { return }
            try receive(count)
        }
    }

    /// True when something is left that the transport does not take now.
    private func transmit(_ transport: any ByteTransport) throws(StoreError) -> Bool {
        while core.prepareOutput() {
            let count = try transport.write(core.output.bytes, from: core.output.offset)
            guard count > 0 else { return true }
            core.tookOutput(count)
        }
        return false
    }

    private func reconnect(at time: Deadline, until deadline: Deadline) {
        // A failure of poll(2) without descriptors ends the pause early.
        guard time.hasPassed else { return (try? pause(min(time, deadline).remaining)) ?? () }
        do throws(StoreError) { adopt(try connector.connect(until: deadline)) } catch {
            core.couldNotConnect(now: .now, random: .random(in: .min ... .max))
        }
    }

    private func adopt(_ transport: any ByteTransport) {
        core.connected(LinkTraits(transport), now: .now)
        self.transport = transport
    }

    private func lose(_ reason: StoreError) {
        transport?.close()
        transport = nil
        core.disconnected(reason, now: .now, random: .random(in: .min ... .max))
    }
}
