import Synchronization
public import XenCore
public import XenEvtchn
public import XenStoreWire

/// Connects over a domain's own store page, without a kernel in between: for firmware, a small kernel, or a stub
/// domain's program.
///
///     let client = try StoreClient(
///         reconnecting: RingConnector(page: page, channel: channel, events: events))
///
/// Where the server offers `ServerFeatures.reconnection` every connection begins with a reset, so that nothing is left
/// of whoever used the ring before. Without it there is one connection, which goes on where the page stands. After
/// the domain was resumed page and channel are others: make another connector.
/// Source: docs/misc/xenstore-ring.txt, "Connection state field".
public final class RingConnector: StoreConnector {
    /// What was asked of the ring last.
    private enum Stage: Sendable { case untouched, resetting, connected }

    private let line: StoreLine
    private let stage = Mutex(Stage.untouched)

    /// - Parameters:
    ///   - page: the domain's store page.
    ///   - channel: the domain's store channel.
    ///   - events: the handle that the channel belongs to, and nothing else.
    ///   - owner: kept for as long as the page is used, such as what keeps it mapped.
    public init(
        page: SharedMemory, channel: consuming EventChannel, events: EventChannels,
        keeping owner: (any Sendable)? = nil
    ) {
        line = StoreLine(StorePage(page), channel, events, owner)
    }

    /// Throws `.unavailable` when the server does not answer in time, or the ring cannot be brought back into step,
    /// and `.disconnected` when the event channel is gone.
    public func connect(until deadline: Deadline) throws(StoreError) -> any ByteTransport {
        try beginReset()
        try waitUntilConnected(until: deadline)
        stage.withLock { $0 = .connected }
        return RingTransport(line)
    }

    /// Asks for a reset, unless the server has not come up yet, or owes the answer to an earlier attempt.
    private func beginReset() throws(StoreError) {
        let stage = stage.withLock { $0 }
        guard stage != .resetting, line.page.connection == .connected else { return }
        if line.page.features.contains(.reconnection) {
            self.stage.withLock { $0 = .resetting }
            line.page.connection = .reconnecting
            try line.notify()
        } else if stage == .connected {
            throw StoreError(
                .unavailable,
                "the store's ring is out of step, and its server cannot reset it; restart the domain"
            )
        }
    }

    private func waitUntilConnected(until deadline: Deadline) throws(StoreError) {
        while line.page.connection != .connected {
            guard !deadline.hasPassed else {
                throw StoreError(
                    .unavailable, "the store's server has not reset the ring in time")
            }
            try line.wait(until: deadline)
        }
    }
}
