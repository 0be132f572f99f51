import Synchronization
import XenCore
import XenEvtchn
import XenGrant
import XenSystem

/// What a block frontend does behind its calls: a `FrontendCore`, and the thread that carries it.
final class FrontendEngine: Sendable {
    private let core: Mutex<FrontendCore>
    private let lastSerial = Atomic<UInt64>(0)
    private let ended = Completion()

    init(grants: GrantTable, events: EventChannels) {
        core = Mutex(FrontendCore(grants: grants, events: events))
    }

    var statistics: BlockFrontendStatistics { core.withLock { $0.statistics } }

    /// Nil while no backend is connected. Throws `.closed`.
    func geometry() throws(BlockError) -> BlockGeometry? {
        try core.withLock { (core) throws(BlockError) in try core.geometry }
    }

    /// The pages of ended epochs that a backend still maps.
    var pageCountInUse: Int { core.withLock { $0.pageCountInUse } }

    func nextSerial() -> UInt64 { lastSerial.add(1, ordering: .relaxed).newValue }

    func start() throws {
        let thread = try PlatformThread { [self] in
            run()
            ended.complete()
        }
        // Not joined: `waitForEnd` suspends instead.
        _ = consume thread
    }

    func stop() {
        let events = core.withLock { core in
            core.beginClosing()
            return core.events
        }
        events.interrupt()
    }

    func waitForEnd() async { _ = await ended.wait(until: .after(.seconds(10))) }

    private func run() {
        while !core.withLock({ $0.isClosed }) {
            core.withLock { $0.service(now: .now) }.deliver()
            let events = core.withLock { $0.events }
            do {
                let deadline = Deadline.after(FrontendCore.lookPeriod)
                if let event = try events.wait(until: deadline) { try event.unmask() }
            } catch {
                // The port or its device is gone; a new epoch makes a new one. With its domain's last life a handle
                // has ended, which `resume` puts another in place of.
                if error.code != .stale { core.withLock { $0.reportFailure }(error) }
                try? pause(.milliseconds(100))
            }
        }
        core.withLock { $0.close(now: .now) }.deliver()
    }

    // MARK: Requests

    func submit(_ request: PendingRequest) { core.withLock { $0.submit(request) }.deliver() }

    /// Lets go of a request whose caller no longer waits, wherever it is.
    func cancel(_ serial: UInt64) { core.withLock { $0.cancel(serial) }.deliver() }

    // MARK: The steps of the handshake

    func resume() { core.withLock { $0.resume() } }

    func prepare(_ epoch: Epoch, for backend: DomainID) throws -> [String: String] {
        try core.withLock { try $0.prepare(epoch, for: backend, now: .now) }
    }

    func connect(
        _ epoch: Epoch, published: [String: String],
        reportFailure: @escaping @Sendable (any Error) -> Void
    ) throws {
        try core.withLock {
            try $0.connect(epoch, published: published, reportFailure: reportFailure)
        }
    }

    func retire() { core.withLock { $0.retire(now: .now) } }
}
