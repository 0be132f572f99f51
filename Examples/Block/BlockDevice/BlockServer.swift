import Synchronization
import XenCore
import XenEvtchn
import XenSystem

/// One connection of a backend: a `BlockService`, and the thread that carries it.
final class BlockServer: Sendable {
    /// Looks at the ring this often although no event came: a frontend's event may have been lost, or its driver
    /// may forget to send one.
    private let lookPeriod: Duration

    /// The thread takes it when it starts, and lets go of it when it ends.
    private let service: Mutex<BlockService?>
    private let events: EventChannels
    private let isStopping = Atomic(false)
    private let ended = Completion()
    private let counted = Mutex(BlockBackendStatistics())

    init(
        _ service: consuming sending BlockService, events: EventChannels, lookPeriod: Duration
    ) {
        self.events = events
        self.lookPeriod = lookPeriod
        self.service = Mutex(service)
    }

    var statistics: BlockBackendStatistics { counted.withLock { $0 } }

    func start(reportFailure: @escaping @Sendable (any Error) -> Void) throws {
        let thread = try PlatformThread { [self] in
            if let service = service.withLock({ $0.take() }) {
                do { try serve(service) } catch { reportFailure(error) }
            }
            ended.complete()
        }
        // Not joined: whoever stops us waits for `ended` without blocking a thread.
        _ = consume thread
    }

    /// Lets the thread end after the request that it is at.
    ///
    /// - Returns: whether it has, and let go of all that is the frontend's.
    func stop(until deadline: Deadline) async -> Bool {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        events.interrupt()
        return await ended.wait(until: deadline)
    }

    private var goesOn: Bool { !isStopping.load(ordering: .sequentiallyConsistent) }

    private func serve(_ service: consuming BlockService) throws {
        while goesOn {
            try serveAll(&service)
            guard goesOn else { return }
            if let event = try events.wait(until: .after(lookPeriod)) {
                try event.unmask()
            } else if goesOn {
                _ = try service.serveUnannounced()
            }
        }
    }

    private func serveAll(_ service: inout BlockService) throws {
        while goesOn {
            let wasServed = try service.serveNext()
            let statistics = service.statistics
            counted.withLock { $0 = statistics }
            guard wasServed else { return }
        }
    }
}
