import Synchronization
import XenCore
import XenEvtchn
import XenGrant
import XenSystem

/// What a block frontend does behind its calls: one thread that takes answers, and the requests' way
/// from epoch to epoch.
final class FrontendEngine: Sendable {
    private struct State {
        /// Published, and not yet connected.
        var prepared: FrontendConnection?
        var connected: FrontendConnection?
        var retired: [FrontendConnection] = []
        /// Not in any ring, oldest first.
        var waiting: [PendingRequest] = []
        var geometry: BlockGeometry?
        var statistics = BlockFrontendStatistics()
        var isClosed = false
        var reportFailure: @Sendable (any Error) -> Void = { _ in }
    }

    /// What is to be done once the lock is released.
    private struct Outcome {
        var answered: [(PendingRequest, Result<[UInt8], BlockError>)] = []
        var expired: [PendingRequest] = []
    }

    private let grants: GrantTable
    private let events: EventChannels
    private let state = Mutex(State())
    private let lastSerial = Atomic<UInt64>(0)
    private let ended = Completion()

    init(grants: GrantTable, events: EventChannels) {
        self.grants = grants
        self.events = events
    }

    var statistics: BlockFrontendStatistics { state.withLock { $0.statistics } }

    /// Nil while no backend is connected. Throws `.closed`.
    func geometry() throws(BlockError) -> BlockGeometry? {
        try state.withLock { (state) throws(BlockError) in
            try requireOpen(state)
            return state.connected == nil ? nil : state.geometry
        }
    }

    private func requireOpen(_ state: borrowing State) throws(BlockError) {
        if state.isClosed { throw BlockError(code: .closed, message: "the frontend is closed") }
    }

    /// The pages of ended epochs that a backend still maps.
    var pageCountInUse: Int {
        state.withLock { state in state.retired.reduce(0) { $0 + $1.pageCount } }
    }

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
        state.withLock { $0.isClosed = true }
        events.interrupt()
    }

    func waitForEnd() async { _ = await ended.wait(until: .after(.seconds(10))) }

    // MARK: Requests

    func submit(_ request: PendingRequest) {
        let isClosed = state.withLock { state in
            if !state.isClosed {
                state.waiting.append(request)
                pump(&state)
            }
            return state.isClosed
        }
        if isClosed { request.fail(.closed, "the frontend is closed") }
    }

    /// Lets go of a request whose caller no longer waits, wherever it is.
    func cancel(_ serial: UInt64) {
        let ended = state.withLock { takeEnded(&$0) { $0.serial == serial } }
        for request in ended { request.fail(.closed, "the caller has gone") }
    }

    private func takeEnded(
        _ state: inout State, _ shouldEnd: (PendingRequest) -> Bool
    ) -> [PendingRequest] {
        var ended = state.waiting.filter(shouldEnd)
        if !ended.isEmpty { state.waiting.removeAll(where: shouldEnd) }
        ended += state.connected?.abandon(where: shouldEnd) ?? []
        return ended
    }

    /// Moves waiting requests into the ring, as far as there is room.
    private func pump(_ state: inout State) {
        guard let connection = state.connected, !state.waiting.isEmpty else { return }
        var sentCount = 0
        while sentCount < state.waiting.count, connection.hasRoom {
            connection.send(state.waiting[sentCount])
            sentCount += 1
        }
        state.waiting.removeFirst(sentCount)
        state.statistics.requestCount += sentCount
        do {
            if try connection.publish() { state.statistics.notificationCount += 1 }
        } catch {
            state.reportFailure(error)
        }
    }

    // MARK: The thread

    private func run() {
        while !state.withLock({ $0.isClosed }) {
            let deadline = service()
            do {
                if let event = try events.wait(until: deadline) { try event.unmask() }
            } catch {
                // The port or its device is gone; a new epoch makes a new one.
                state.withLock { $0.reportFailure }(error)
                try? pause(.milliseconds(100))
            }
        }
        closeAll()
    }

    /// Takes all answers, sends what waits, and looks after ended epochs and requests.
    ///
    /// - Returns: when to look again at the latest.
    private func service() -> Deadline {
        let outcome = state.withLock { state in
            var outcome = Outcome()
            takeAnswers(&state, &outcome)
            releaseRetired(&state)
            outcome.expired = takeEnded(&state) { $0.deadline.hasPassed }
            pump(&state)
            return outcome
        }
        for (request, result) in outcome.answered { request.continuation.resume(returning: result) }
        for request in outcome.expired { request.timeOut() }
        // Short enough to notice deadlines and pages that were let go, long enough to cost nothing.
        return .after(.milliseconds(250))
    }

    private func takeAnswers(_ state: inout State, _ outcome: inout Outcome) {
        guard let connection = state.connected else { return }
        do {
            while let answer = try connection.nextAnswer() {
                switch answer {
                case .to(let request, let result): outcome.answered.append((request, result))
                case .unwanted: break
                case .stale: state.statistics.staleCount += 1
                }
            }
        } catch {
            state.reportFailure(error)
        }
    }

    private func releaseRetired(_ state: inout State, isUrgent: Bool = false) {
        var staleCount = 0
        state.retired.removeAll { connection in
            let (count, isGone) = connection.retire(isUrgent: isUrgent)
            staleCount += count
            return isGone
        }
        state.statistics.staleCount += staleCount
    }

    private func closeAll() {
        let unanswered = state.withLock { state in
            endEpoch(&state)
            releaseRetired(&state, isUrgent: true)
            defer { state.waiting = [] }
            return state.waiting
        }
        for request in unanswered { request.fail(.closed, "the frontend was closed") }
    }

    // MARK: The steps of the handshake

    func prepare(_ epoch: Epoch, for backend: DomainID) throws -> [String: String] {
        try state.withLock { state in
            try requireOpen(state)
            // The domain may have no more grants until an old epoch's are free.
            releaseRetired(&state, isUrgent: true)
            let connection = try FrontendConnection(
                epoch, backend: backend, grants: grants, events: events)
            defer { state.prepared = connection }
            return connection.published
        }
    }

    func connect(
        _ epoch: Epoch, _ geometry: BlockGeometry,
        reportFailure: @escaping @Sendable (any Error) -> Void
    ) throws {
        try state.withLock { state in
            try requireOpen(state)
            state.connected = state.prepared.take()
            state.geometry = geometry
            state.reportFailure = reportFailure
            state.statistics.epoch = epoch
            state.statistics.epochCount += 1
            pump(&state)
        }
    }

    func retire() {
        state.withLock {
            endEpoch(&$0)
            releaseRetired(&$0)
        }
    }

    private func endEpoch(_ state: inout State) {
        let unanswered = state.connected?.takeUnanswered() ?? []
        state.waiting = unanswered + state.waiting
        state.statistics.reissuedCount += unanswered.count
        for connection in [state.connected.take(), state.prepared.take()] {
            if let connection { state.retired.append(connection) }
        }
        state.reportFailure = { _ in }
    }
}
