public import XenBus
public import XenCore
public import XenEvtchn
public import XenGrant

/// The requesting end of a block device.
///
/// Give it to a `FrontendDriver`, which does the handshake, and read and write at any time: requests wait
/// until a backend is there. When the backend goes away, what it has not answered is issued again to the next one;
/// its late answers are dropped and counted, and pages that it may still write are not used again.
///
///     let disk = try BlockFrontend(grants: grants, events: events)
///     let driver = FrontendDriver(disk, at: "device/vbd/51712", store: store)
///     async let end = driver.run()
///     let first = try await disk.read(sector: 0, count: 8)
public final class BlockFrontend: FrontendDevice {
    /// The most sectors that one request carries.
    public static let sectorLimit = BlockRequest.segmentLimit * BlockSector.countPerPage

    private let engine: FrontendEngine
    private let requestTimeout: Duration

    /// - Parameters:
    ///   - events: for this device alone, since its thread waits on all of its ports.
    ///   - requestTimeout: how long a request may take, all epochs together.
    public init(
        grants: GrantTable, events: EventChannels, requestTimeout: Duration = .seconds(60)
    ) throws {
        engine = FrontendEngine(grants: grants, events: events)
        self.requestTimeout = requestTimeout
        try engine.start()
    }

    deinit { engine.stop() }

    /// What was done so far, over all epochs.
    public var statistics: BlockFrontendStatistics { engine.statistics }

    /// Suspends until a backend is connected, and says what device it serves.
    ///
    /// Throws `.timedOut` if none is by then, and `.closed`.
    public func geometry(within timeout: Duration = .seconds(30)) async throws -> BlockGeometry {
        let deadline = Deadline.after(timeout)
        while true {
            if let geometry = try engine.geometry() { return geometry }
            guard !deadline.hasPassed else {
                throw BlockError(
                    code: .timedOut, message: "no backend has connected within \(timeout)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Reads sectors. Suspends until they are there.
    ///
    /// Throws `BlockError`, and `CancellationError` if the task is cancelled.
    ///
    /// - Parameters:
    ///   - sector: the first, in units of 512 bytes.
    ///   - count: 1 to `sectorLimit`.
    public func read(sector: UInt64, count: Int) async throws -> [UInt8] {
        precondition((1...Self.sectorLimit).contains(count), "1 to 88 sectors a request")
        return try await submit(.read, sector, UInt64(count), [])
    }

    /// Writes whole sectors. Suspends until the backend has them.
    ///
    /// - Parameter data: 1 to `sectorLimit` sectors' bytes.
    public func write(sector: UInt64, _ data: [UInt8]) async throws {
        let count = data.count / BlockSector.byteCount
        precondition(
            data.count % BlockSector.byteCount == 0 && (1...Self.sectorLimit).contains(count),
            "1 to 88 whole sectors a request")
        _ = try await submit(.write, sector, UInt64(count), data)
    }

    /// Suspends until all that was written is durable.
    public func flush() async throws { _ = try await submit(.flush, 0, 0, []) }

    /// Lets the backend forget sectors.
    public func discard(sector: UInt64, count: UInt64) async throws {
        _ = try await submit(.discard, sector, count, [])
    }

    /// Fails what is unanswered, lets go of all pages that the backend has let go of, and ends the thread.
    ///
    /// - Returns: the pages that a backend still maps, and that cannot be given back.
    @discardableResult
    public func close() async -> Int {
        engine.stop()
        await engine.waitForEnd()
        return engine.pageCountInUse
    }

    private func submit(
        _ operation: BlockOperation, _ sector: UInt64, _ count: UInt64, _ data: [UInt8]
    ) async throws -> [UInt8] {
        let serial = engine.nextSerial()
        let deadline = ContinuousClock.now + requestTimeout
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                engine.submit(
                    PendingRequest(
                        serial: serial, operation: operation, sector: sector, sectorCount: count,
                        data: data, deadline: deadline
                    ) { continuation.resume(returning: $0) })
                // A cancellation from before this found nothing to cancel.
                if Task.isCancelled { engine.cancel(serial) }
            }
        } onCancel: {
            engine.cancel(serial)
        }
        try Task.checkCancellation()
        return try result.get()
    }

    // MARK: The steps of the handshake

    public var backendKeys: [String] { ["sectors", "sector-size", "info"] }

    public func prepare(_ epoch: Epoch, for backend: DomainID) throws -> [String: String] {
        try engine.prepare(epoch, for: backend)
    }

    public func connect(
        _ epoch: Epoch, published: [String: String],
        reportFailure: @escaping @Sendable (any Error) -> Void
    ) throws {
        try engine.connect(epoch, published: published, reportFailure: reportFailure)
    }

    public func retire(_ epoch: Epoch) { engine.retire() }

    public func resume() { engine.resume() }
}
