import Synchronization
import XenCore
import XenEvtchn
import XenSystem

/// One connection of a backend: a `BlockService`, and the thread that carries it.
final class BlockServer: Sendable {
    /// Looks at the ring this often although no event came: a frontend's event may have been lost, or its driver
    /// may forget to send one. The period is that of oxenstored's `io_credit`.
    private static let lookPeriod = Duration.seconds(20)

    /// The thread takes it when it starts, and lets go of it when it ends.
    private let service: Mutex<BlockService?>
    private let events: EventChannels
    private let isStopping = Atomic(false)
    private let ended = Completion()
    private let counted = Mutex(BlockBackendStatistics())

    init(_ service: consuming sending BlockService, events: EventChannels) {
        self.events = events
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
            while goesOn, try serveNext(&service) {}
            guard goesOn, let event = try events.wait(until: .after(Self.lookPeriod)) else {
                continue
            }
            try event.unmask()
        }
    }

    private func serveNext(_ service: inout BlockService) throws -> Bool {
        let wasServed = try service.serveNext()
        let statistics = service.statistics
        counted.withLock { $0 = statistics }
        return wasServed
    }
}
