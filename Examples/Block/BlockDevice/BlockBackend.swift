import Synchronization
public import XenBus
public import XenCore
public import XenEvtchn
public import XenGrant
import XenSystem

/// The serving end of a block device: answers a frontend's requests from a `BlockStorage`.
///
/// Give it to a `BackendDriver`, which does the handshake. Each connection is served on a thread of its own,
/// since storage blocks. Whatever the frontend writes ends in an error response or in a closed device.
public final class BlockBackend: BackendDevice {
    /// The storage could not be waited for: an older connection still sits in it.
    public struct StillServing: Error, CustomStringConvertible {
        public var description: String {
            "the last connection's thread still waits for the storage: try again when that answers"
        }
    }

    private let grants: GrantTable
    private let events: EventChannels
    private let storage: any BlockStorage
    private let lookPeriod: Duration
    private let log: @Sendable (String) -> Void
    private let server = Mutex<BlockServer?>(nil)
    private let past = Mutex(BlockBackendStatistics())

    /// - Parameters:
    ///   - events: for this device alone, since its thread waits on all of its ports.
    ///   - lookPeriod: the ring is looked at this often although no event came. The period is that of oxenstored's
    ///     `io_credit`.
    ///   - log: gets a sentence for each thing that a frontend did wrong, and for each event that did not come.
    public init(
        storage: any BlockStorage, grants: GrantTable, events: EventChannels,
        lookPeriod: Duration = .seconds(20), log: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        precondition((1...BlockSector.countLimit).contains(storage.sectorCount), "no such disk")
        self.storage = storage
        self.grants = grants
        self.events = events
        self.lookPeriod = lookPeriod
        self.log = log
    }

    /// What was done for all connections together.
    public var statistics: BlockBackendStatistics {
        past.withLock { $0 } + (server.withLock { $0?.statistics } ?? BlockBackendStatistics())
    }

    public var features: [String: String] {
        ["feature-flush-cache": "1", "feature-discard": "1", "feature-persistent": "1"]
    }

    public var frontendKeys: [String] {
        ["ring-ref", "event-channel", "protocol", "feature-persistent"]
    }

    public func connect(
        _ epoch: Epoch, to frontend: DomainID, published: [String: String],
        reportFailure: @escaping @Sendable (any Error) -> Void
    ) throws -> [String: String] {
        guard server.withLock({ $0 == nil }) else { throw StillServing() }
        let new = BlockServer(
            try BlockService(
                published: published, of: frontend, storage: storage, grants: grants,
                events: events, log: log),
            events: events, lookPeriod: lookPeriod)
        try new.start(reportFailure: reportFailure)
        server.withLock { $0 = new }
        return [
            "sectors": "\(storage.sectorCount)", "sector-size": "\(BlockSector.byteCount)",
            "info": storage.isReadOnly ? "4" : "0",
        ]
    }

    public func disconnect(_ epoch: Epoch) async {
        guard let old = server.withLock({ $0 }) else { return }
        // A storage that hangs must not hang us; `connect` refuses until it has come back.
        guard await old.stop(until: .after(.seconds(2))) else { return }
        past.withLock { $0 = $0 + old.statistics }
        server.withLock { $0 = nil }
    }
}
