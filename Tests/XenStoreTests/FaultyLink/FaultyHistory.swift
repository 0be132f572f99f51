import XenCore
import XenStoreWire
import XenTesting

@testable import XenStoreClient

/// One client's core and one server's core with a faulty link between them, in virtual time.
struct FaultyHistory {
    /// A request that the test waits for.
    struct Open {
        let request: Request
        let deadline: Deadline
    }

    /// A promise that the client breaks, so that the checks are seen to find it.
    enum Flaw: CaseIterable, Sendable {
        /// Takes replies of earlier epochs for those of its own.
        case trustsAnyEpoch
        /// Repeats what may have been carried out.
        case repeatsWrites
        /// Does not look again in a new epoch.
        case swallowsLookAgain
        /// Does not mind deadlines.
        case ignoresDeadlines
    }

    private let choices: HistoryChoices
    private let flaw: Flaw?
    private let note: (String) -> Void
    var core = ClientCore(
        policy: ReconnectPolicy(longestPause: .milliseconds(500)), patience: .seconds(2))
    var server = SimulatedServer()
    var link: FaultyLink
    private var uplink: Uplink
    var now = Deadline(sinceEpoch: .zero)
    var open: [RequestHandle: Open] = [:]
    var scope: TransactionScope?
    private var watch: (id: WatchID, registration: RequestHandle?)?
    private var watchEpoch = Epoch.none
    /// The epoch in which 'look again' was taken last.
    private var lastLook = Epoch.none
    private(set) var eventCount = 0
    private var valueCount = 0
    /// Whether the server takes connections.
    private var isUp = true

    init(
        _ choices: HistoryChoices, flaw: Flaw? = nil, note: @escaping (String) -> Void
    ) {
        self.choices = choices
        self.flaw = flaw
        self.note = note
        link = FaultyLink(choices)
        uplink = Uplink(choices)
    }

    // MARK: - The whole

    mutating func play() throws {
        for _ in 0..<200 { try step() }
        link.isFaulty = false
        uplink.isFaulty = false
        isUp = true
        // The server is well again: the client has to be, too, within its longest deadline and pause.
        for _ in 0..<120 where !isCalm { try settle() }
        try expect(isCalm, "the client recovers when the server does", "\(open.count) are open")
        try checkRecovery()
    }

    private var isCalm: Bool { open.isEmpty && core.link == .connected }

    private mutating func settle() throws {
        pass(milliseconds: 100)
        try exchange()
    }

    private mutating func checkRecovery() throws {
        let handle = try begin(.read(SimulatedServer.tagPath))
        for _ in 0..<30 where open[handle] != nil { try settle() }
        try expect(open[handle] == nil, "the client recovers when the server does", "a read")
        guard let watch, watch.registration == nil else { return }
        let before = eventCount
        link.send(server.write("/watched/last", "x"), now: now)
        for _ in 0..<60 where eventCount == before { try settle() }
        try expect(eventCount > before, "watches are set again", "in \(core.epoch)")
        try expect(
            core.epoch == watchEpoch || lastLook == core.epoch, "each epoch tells to look again",
            "last in \(lastLook), now \(core.epoch)")
    }

    // MARK: - One step

    private mutating func step() throws {
        pass(milliseconds: choices.number("time", in: 0..<40))
        try disturb()
        if choices.happens("work", 0.5) { try work() }
        try exchange()
    }

    private mutating func pass(milliseconds: Int) {
        now = now + .milliseconds(milliseconds)
        server.now = now
    }

    private mutating func disturb() throws {
        if choices.happens("cut", 0.01) { lose("cut") }
        if choices.happens("restart", 0.005) {
            lose("restart")
            server.restart()
            isUp = false
        }
        if !isUp, choices.happens("up", 0.1) { isUp = true }
    }

    private mutating func lose(_ reason: String) {
        guard core.link == .connected else { return }
        note("lost: \(reason)")
        // What is under way may be carried out, though nobody will hear of it.
        if choices.happens("late", 0.5) { _ = try? server.receive(uplink.all()[...]) }
        uplink.reset()
        server.disconnect()
        core.disconnected(
            StoreError(.disconnected, reason), now: now,
            random: UInt64(choices.number("jitter", in: 0..<Int.max)))
    }

    /// Moves bytes both ways, connects when that is due, and looks at what came of it.
    private mutating func exchange() throws {
        if case .lost(let retryAt) = core.link, retryAt <= now { connect() }
        if core.nextLook <= now, flaw != .ignoresDeadlines, core.expire(now) != nil {
            lose("not set again")
        }
        try transmit()
        link.send(try server.receive(uplink.receive(now: now)[...]), now: now)
        if flaw == .trustsAnyEpoch { link.forge(for: core.epoch) }
        do throws(StoreError) { try core.receive(link.receive(now: now)) } catch {
            lose("violation")
        }
        try takeCompletions()
        try takeEvents()
        for request in open.values {
            try expect(
                now < request.deadline, "each request ends by its deadline", "\(request.request)")
        }
    }

    private mutating func connect() {
        guard isUp else {
            return core.couldNotConnect(
                now: now, random: UInt64(choices.number("jitter", in: 0..<Int.max)))
        }
        link.reset()
        core.connected(LinkTraits(), now: now)
        server.connect(tag: core.epoch)
        note("connected: \(core.epoch)")
    }

    private mutating func transmit() throws {
        while core.prepareOutput() {
            let waiting = core.output.bytes[core.output.offset...]
            let isPartial = link.isFaulty && choices.happens("partial", 0.3)
            let count = isPartial ? choices.number("part", in: 0..<waiting.count) : waiting.count
            let taken = Array(waiting.prefix(count))
            core.tookOutput(count)
            uplink.send(taken, now: now)
            if isPartial {
                if choices.happens("cut in mid-message", 0.1) { lose("mid-message") }
                return
            }
        }
    }

    // MARK: - Work

    private mutating func work() throws {
        switch choices.number("work.kind", in: 0..<10) {
        case 0...2: _ = try begin(.read(SimulatedServer.tagPath))
        case 3...5: _ = try begin(.write("/watched/node", nextValue()))
        case 6:
            if let watch, watch.registration == nil { try replaceWatch() } else { try addWatch() }
        case 7: if scope == nil { _ = try begin(.transactionStart) }
        case 8: try continueTransaction()
        default: withdrawOne()
        }
    }

    private mutating func nextValue() -> [UInt8] {
        valueCount += 1
        return Array("\(valueCount)".utf8)
    }

    @discardableResult
    private mutating func begin(
        _ request: Request, in scope: TransactionScope = .none
    ) throws -> RequestHandle {
        let deadline = now + .milliseconds(choices.number("deadline", in: 50..<3000))
        let handle = try core.begin(request, in: scope, until: deadline)
        open[handle] = Open(request: request, deadline: deadline)
        return handle
    }

    private mutating func continueTransaction() throws {
        guard let current = scope else { return }
        do {
            let isLast = choices.number("commit", in: 0..<2) == 0
            if isLast { scope = nil }
            try begin(
                isLast ? .transactionEnd(commit: true) : .write("/in", nextValue()), in: current)
        } catch let error as StoreError {
            scope = nil
            try expect(error.name == .again, "a lost transaction is a conflict", "\(error)")
        }
    }

    private mutating func addWatch() throws {
        guard watch == nil else { return }
        let deadline = now + .seconds(1)
        let (id, handle) = try core.addWatch("/watched", limit: 4, until: deadline)
        _ = core.submit(handle)
        open[handle] = Open(request: .watch("/watched", token: []), deadline: deadline)
        watch = (id, handle)
    }

    private mutating func replaceWatch() throws {
        guard let watch, choices.number("end watch", in: 0..<4) == 0 else { return }
        core.removeWatch(watch.id, now: now)
        self.watch = nil
    }

    private mutating func withdrawOne() {
        let handles = open.keys.sorted { $0.rawValue < $1.rawValue }
        guard !handles.isEmpty else { return }
        let handle = handles[choices.number("withdrawn", in: 0..<handles.count)]
        guard core.withdraw(handle, now: now) != nil else { return }
        finish(handle, nil)
    }

    // MARK: - What came of it

    private mutating func takeCompletions() throws {
        for completion in core.takeCompletions() {
            guard let request = open[completion.handle]?.request else {
                throw SimulationFailure("each request ends once", "\(completion)")
            }
            finish(completion.handle, completion.result)
            try check(request, completion.result)
            if flaw == .repeatsWrites, case .write = request,
                case .failure(let error) = completion.result, error.code == .outcomeUnknown
            {
                _ = try? begin(request)
            }
        }
        if let payload = server.repeated {
            throw SimulationFailure("no request is carried out twice", Script.text(payload))
        }
    }

    private mutating func finish(
        _ handle: RequestHandle, _ result: Result<ClientCore.Answer, StoreError>?
    ) {
        open[handle] = nil
        guard watch?.registration == handle, let id = watch?.id else { return }
        if case .success = result {
            watch = (id, nil)
            watchEpoch = core.epoch
            lastLook = .none
        } else {
            core.removeWatch(id, now: now)
            watch = nil
        }
    }

    private mutating func check(
        _ request: Request, _ result: Result<ClientCore.Answer, StoreError>
    ) throws {
        switch (request, result) {
        case (.read, .success(let answer)):
            try expect(
                Script.text(answer.payload) == "\(answer.epoch.rawValue)",
                "no reply of one epoch ends a request of another",
                "\(Script.text(answer.payload)) in \(answer.epoch)")
        case (.write, .success):
            try expect(
                server.executions[request.payload] == 1, "what succeeded was carried out",
                "\(request)")
        case (.transactionStart, .success(let answer)):
            if scope == nil { scope = try answer.transaction }
        case (.read, .failure(let error)), (.watch, .failure(let error)),
            (.transactionStart, .failure(let error)):
            try expect(
                error.code != .outcomeUnknown, "what changes nothing is sent again", "\(error)")
        default: break
        }
    }

    private mutating func takeEvents() throws {
        while core.takeSignal() != nil {}
        guard let id = watch?.id else { return }
        while let event = try core.nextEvent(id) {
            eventCount += 1
            guard event == .lookAgain, flaw != .swallowsLookAgain else { continue }
            try expect(
                lastLook < core.epoch, "each epoch tells once to look again", "\(core.epoch)")
            lastLook = core.epoch
        }
    }

    private func expect(
        _ condition: Bool, _ promise: String, _ message: @autoclosure () -> String
    ) throws {
        if !condition { throw SimulationFailure(promise, message()) }
    }
}
