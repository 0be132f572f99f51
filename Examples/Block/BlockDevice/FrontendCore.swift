package import XenCore
package import XenEvtchn
package import XenGrant

/// A block frontend without its thread: the requests' way from epoch to epoch.
///
/// Nothing in it blocks or asks for the time. Whoever carries it calls `service(now:)` when the backend has
/// notified us, and every `lookPeriod` in any case.
package struct FrontendCore {
    /// Short enough to notice deadlines, pages that were let go and answers whose event was lost; long enough to cost
    /// nothing.
    package static let lookPeriod = Duration.milliseconds(250)
    /// Requests that stay unanswered so long have the backend notified again: our event may have been lost.
    private static let reminderPeriod = Duration.seconds(1)

    /// What is to be told to callers, outside of any lock.
    package struct Outcome: Sendable {
        fileprivate(set) var endings:
            [(request: PendingRequest, result: Result<[UInt8], BlockError>)] = []

        /// Tells each caller how its request ended.
        package func deliver() { for (request, result) in endings { request.completion(result) } }

        fileprivate mutating func fail(
            _ requests: [PendingRequest], _ error: (PendingRequest) -> BlockError
        ) {
            endings += requests.map { ($0, .failure(error($0))) }
        }
    }

    private let grants: GrantTable
    /// Of this life of the domain.
    private(set) var events: EventChannels
    /// The domain was resumed, and `events` is still of the life before.
    private var needsPorts = false

    /// Published, and not yet connected.
    private var prepared: FrontendConnection?
    private var connected: FrontendConnection?
    private var retired: [FrontendConnection] = []
    /// Not in any ring, oldest first.
    private var waiting: [PendingRequest] = []
    private var currentGeometry: BlockGeometry?
    private var nextReminder: ContinuousClock.Instant?
    package private(set) var statistics = BlockFrontendStatistics()
    package private(set) var isClosed = false
    private(set) var reportFailure: @Sendable (any Error) -> Void = { _ in }

    package init(grants: GrantTable, events: EventChannels) {
        self.grants = grants
        self.events = events
    }

    /// Nil while no backend is connected. Throws `.closed`.
    package var geometry: BlockGeometry? {
        get throws(BlockError) {
            try requireOpen()
            return connected == nil ? nil : currentGeometry
        }
    }

    private func requireOpen() throws(BlockError) {
        if isClosed { throw BlockError(code: .closed, message: "the frontend is closed") }
    }

    /// The pages of ended epochs that a backend still maps.
    package var pageCountInUse: Int { retired.reduce(0) { $0 + $1.pageCount } }

    // MARK: Requests

    /// Takes a request, and sends it if there is room.
    package mutating func submit(_ request: PendingRequest) -> Outcome {
        var outcome = Outcome()
        if isClosed {
            outcome.fail([request]) { $0.failure(.closed, "the frontend is closed") }
        } else {
            waiting.append(request)
            pump()
        }
        return outcome
    }

    /// Lets go of a request whose caller no longer waits, wherever it is.
    package mutating func cancel(_ serial: UInt64) -> Outcome {
        var outcome = Outcome()
        outcome.fail(takeEnded { $0.serial == serial }) {
            $0.failure(.closed, "the caller has gone")
        }
        return outcome
    }

    private mutating func takeEnded(_ shouldEnd: (PendingRequest) -> Bool) -> [PendingRequest] {
        var ended = waiting.filter(shouldEnd)
        if !ended.isEmpty { waiting.removeAll(where: shouldEnd) }
        ended += connected?.abandon(where: shouldEnd) ?? []
        return ended
    }

    /// Moves waiting requests into the ring, as far as there is room.
    private mutating func pump() {
        guard let connection = connected, !waiting.isEmpty else { return }
        var sentCount = 0
        while sentCount < waiting.count, connection.hasRoom {
            connection.send(waiting[sentCount])
            sentCount += 1
        }
        waiting.removeFirst(sentCount)
        statistics.requestCount += sentCount
        do {
            if try connection.publish() { statistics.notificationCount += 1 }
        } catch {
            reportFailure(error)
        }
    }

    // MARK: What the thread does

    /// Takes all answers, sends what waits, and looks after ended epochs and requests.
    package mutating func service(now: ContinuousClock.Instant) -> Outcome {
        var outcome = Outcome()
        takeAnswers(&outcome)
        releaseRetired(now)
        outcome.fail(takeEnded { $0.deadline <= now }, \.timeOut)
        pump()
        remind(now)
        return outcome
    }

    private mutating func takeAnswers(_ outcome: inout Outcome) {
        guard let connection = connected else { return }
        do {
            while let answer = try connection.nextAnswer() {
                switch answer {
                case .to(let request, let result): outcome.endings.append((request, result))
                case .unwanted: break
                case .stale: statistics.staleCount += 1
                }
            }
        } catch {
            reportFailure(error)
        }
    }

    private mutating func remind(_ now: ContinuousClock.Instant) {
        guard let connection = connected, connection.hasUnanswered else {
            nextReminder = nil
            return
        }
        let due = nextReminder ?? now + Self.reminderPeriod
        nextReminder = now < due ? due : now + Self.reminderPeriod
        guard now >= due else { return }
        do {
            try connection.notify()
            statistics.notificationCount += 1
        } catch {
            reportFailure(error)
        }
    }

    private mutating func releaseRetired(
        _ now: ContinuousClock.Instant, isUrgent: Bool = false
    ) {
        var staleCount = 0
        retired.removeAll { connection in
            let (count, isGone) = connection.retire(now, isUrgent: isUrgent)
            staleCount += count
            return isGone
        }
        statistics.staleCount += staleCount
    }

    /// Fails what is unanswered, and lets go of all that the backend has let go of. Call it again for the rest.
    package mutating func close(now: ContinuousClock.Instant) -> Outcome {
        isClosed = true
        endEpoch()
        releaseRetired(now, isUrgent: true)
        var outcome = Outcome()
        outcome.fail(waiting) { $0.failure(.closed, "the frontend was closed") }
        waiting = []
        return outcome
    }

    /// No more requests are taken.
    mutating func beginClosing() { isClosed = true }

    // MARK: The steps of the handshake

    /// All ports are dead. Without new ones `prepare` fails, and tries for them again.
    package mutating func resume() {
        needsPorts = true
        try? renewPorts()
    }

    private mutating func renewPorts() throws {
        guard needsPorts else { return }
        events = try events.afterResume()
        needsPorts = false
    }

    package mutating func prepare(
        _ epoch: Epoch, for backend: DomainID, now: ContinuousClock.Instant
    ) throws -> [String: String] {
        try requireOpen()
        // The domain may have no more grants until an old epoch's are free.
        releaseRetired(now, isUrgent: true)
        try renewPorts()
        let connection = try FrontendConnection(
            epoch, backend: backend, grants: grants, events: events)
        prepared = connection
        return connection.published
    }

    package mutating func connect(
        _ epoch: Epoch, published: [String: String],
        reportFailure: @escaping @Sendable (any Error) -> Void
    ) throws {
        let geometry = try BlockGeometry(published: published)
        try requireOpen()
        connected = prepared.take()
        currentGeometry = geometry
        self.reportFailure = reportFailure
        statistics.epoch = epoch
        statistics.epochCount += 1
        pump()
    }

    package mutating func retire(now: ContinuousClock.Instant) {
        endEpoch()
        releaseRetired(now)
    }

    private mutating func endEpoch() {
        let unanswered = connected?.takeUnanswered() ?? []
        waiting = unanswered + waiting
        statistics.reissuedCount += unanswered.count
        for connection in [connected.take(), prepared.take()] {
            if let connection { retired.append(connection) }
        }
        reportFailure = { _ in }
    }
}
