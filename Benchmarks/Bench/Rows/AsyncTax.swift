import Synchronization
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenRing
import XenSystem

extension Row {
    static var asyncTax: Row {
        Row(
            name: "async-tax",
            summary:
                "a ring drained by an actor on an event thread; the peer drains it in a loop of its own",
            contests: {
                [
                    asyncTaxContest("a wake, one processor", Load(batch: 1, isPinned: true)),
                    asyncTaxContest("a wake, two processors", Load(batch: 1, isPinned: false)),
                    asyncTaxContest(
                        "a wake, spinning", Load(batch: 1, isPinned: false, spins: true)),
                    asyncTaxContest("a batch of 32", Load(batch: 32, isPinned: true)),
                    asyncTaxContest("a message of 256", Load(batch: 256, isPinned: true)),
                ]
            })
    }
}

/// What one round trip carries, and where both ends run.
private struct Load {
    let batch: UInt64
    /// Both ends share a processor, where a wake costs the same every time.
    let isPinned: Bool
    var spins = false

    /// A batch of more than a page's slots is counted by the message.
    var item: String { batch == 1 ? "wake" : batch <= 32 ? "batch" : "message" }
    var itemsPerRound: UInt64 { batch <= 32 ? 1 : batch }
    var pageCount: Int { batch <= 32 ? 1 : 8 }
}

private func asyncTaxContest(_ name: String, _ load: Load) -> Contest {
    Contest(
        name: name, measure: .time(per: load.item),
        ours: Contender { count in
            try exchange(count, load) { try DrainingActor.start($0, $1, load) }
        },
        peers: [
            Contender(name: "synchronous drain", bar: .atMost(1.07)) { count in
                try exchange(count, load) { try DrainingLoop.start($0, $1) }
            }
        ])
}

/// Sends requests and takes their answers, `load.batch` a round, asleep in between; the other end is made by `start`.
private func exchange(
    _ count: UInt64, _ load: Load,
    _ start: (_ process: MockProcess, _ mapping: consuming BackEnd) throws -> any Drainer
) throws -> Outcome {
    let before = Processors.ofThisThread()
    if load.isPinned { before?.only(0).take() }
    defer { before?.take() }
    let hypervisor = MockHypervisor()
    let guest = hypervisor.domain(DomainID(3)).startProcess(name: "front")
    let dom0 = hypervisor.domain(.dom0).startProcess(name: "back")
    let share = try GrantTable(guest.grants).share(pageCount: load.pageCount, with: .dom0)
    let mapping = try GrantTable(dom0.grants).map(share.references, of: DomainID(3))
    let events = EventChannels(guest.events)
    let channel = try events.bindUnbound(for: .dom0)
    // Safe: share and mapping outlive both ends, of which the other one is stopped below.
    var ring = unsafe FrontRing<BlockRequest, BlockResponse>(initializing: share.memory)
    let bound = try EventChannels(dom0.events).bindInterdomain(to: channel.port, of: DomainID(3))
    let drainer = try start(
        dom0, BackEnd(memory: unsafe mapping.memory, channel: bound))

    let begin = ContinuousClock.now
    var sum: UInt64 = 0
    for round in 0..<max(1, count / load.itemsPerRound) {
        sum &+= try roundTrip(round, load, &ring, channel, events)
    }
    let amount = begin.duration(to: .now) / .nanoseconds(1)
    try drainer.stop()
    try mapping.close()
    try share.close()
    return Outcome(sum: sum, amount: amount)
}

private func roundTrip(
    _ round: UInt64, _ load: Load, _ ring: inout FrontRing<BlockRequest, BlockResponse>,
    _ channel: borrowing EventChannel, _ events: EventChannels
) throws -> UInt64 {
    var request = BlockRequest()
    for position in 0..<load.batch {
        request.id = round &* load.batch &+ position
        _ = ring.push(request)
    }
    if ring.publish() == .required { try channel.notify() }
    var (sum, answers): (UInt64, UInt64) = (0, 0)
    while true {
        while let response = try ring.next() {
            sum &+= response.id
            answers &+= 1
        }
        if answers == load.batch { return sum }
        guard let event = try events.wait(until: .after(.seconds(30))) else { throw NoAnswer() }
        try event.unmask()
    }
}

private struct NoAnswer: Error {}

/// What the draining end is made of.
private struct BackEnd: ~Copyable, Sendable {
    let memory: SharedMemory
    let channel: EventChannel
}

/// The other end, until it is stopped.
private protocol Drainer { func stop() throws }

/// Ours: an actor whose handler drains the ring on an event thread.
private actor DrainingActor {
    private let thread: EventThread
    private var ring: BackRing<BlockRequest, BlockResponse>
    private var served: Served?

    /// A channel that stays where it is: reading a variable of its own type would allocate.
    private final class Served: Sendable {
        let channel: ServedChannel
        init(_ channel: consuming ServedChannel) { self.channel = channel }
    }

    private init(_ thread: EventThread, _ memory: SharedMemory) {
        self.thread = thread
        ring = BackRing(attachingTo: memory)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // Safe: this actor keeps the thread.
        unsafe thread.asUnownedSerialExecutor()
    }

    static func start(
        _ process: MockProcess, _ end: consuming BackEnd, _ load: Load
    ) throws -> any Drainer {
        var limits = EventThread.Limits()
        limits.messagesPerTurn = 256
        if !load.spins { limits.longestSpin = .zero }
        let thread = try EventThread.start(on: EventChannels(process.events), limits: limits)
        let actor = DrainingActor(thread, end.memory)
        let isBegun = ThreadSignal()
        let channel = Handover(end.channel)
        Task {
            try await actor.begin(channel)
            isBegun.signal()
        }
        guard isBegun.wait(until: .after(.seconds(30))) else { throw NoAnswer() }
        return Running(thread: thread, actor: actor)
    }

    private func begin(_ handover: Handover) throws {
        guard let channel = handover.take() else { return }
        let served = try thread.serve(channel, on: self, poll: { $0.hasWork }) { actor, turn in
            actor.drain(turn)
        }
        self.served = Served(served)
    }

    private var hasWork: Bool { (try? ring.seesRequests()) ?? true }

    private func drain(_ turn: EventThread.Turn) -> EventThread.Outcome {
        let handled: Int
        do {
            // One call a turn: each access to a stored property of an actor is checked.
            let answered = try ring.answer(arming: turn.mustArm)
            if answered.notification == .required { try served?.channel.notify() }
            handled = answered.count
        } catch {
            return .emptied(handled: 0)
        }
        return turn.mustArm ? .emptied(handled: handled) : .unarmed(handled: handled)
    }

    private struct Running: Drainer {
        let thread: EventThread
        let actor: DrainingActor
        func stop() throws { try thread.stopBlocking(until: .after(.seconds(30))) }
    }
}

extension BackRing<BlockRequest, BlockResponse> {
    /// Answers all requests that there are, and publishes.
    ///
    /// - Parameter isArming: whether it ends with the final check.
    fileprivate mutating func answer(
        arming isArming: Bool
    ) throws(RingError) -> (count: Int, notification: PeerNotification) {
        var count = 0
        while let request = try isArming ? next() : nextSeen() {
            push(BlockResponse(id: request.id, operation: request.operation))
            count += 1
        }
        return (count, publish())
    }
}

/// Gives a channel to a task, which takes it once.
private final class Handover: Sendable {
    private let channel: Mutex<EventChannel?>
    init(_ channel: consuming EventChannel) { self.channel = Mutex(channel) }
    func take() -> EventChannel? { channel.withLock { $0.take() } }
}

/// The peer: a thread that waits and drains, with nothing in between.
private final class DrainingLoop: Sendable {
    private let events: EventChannels
    private let isOver = Atomic(false)

    private init(_ process: MockProcess) { events = EventChannels(process.events) }

    static func start(
        _ process: MockProcess, _ end: consuming BackEnd
    ) throws -> any Drainer {
        let loop = DrainingLoop(process)
        let memory = end.memory
        let channel = Handover(end.channel)
        let thread = try PlatformThread {
            if let channel = channel.take() { try? loop.run(memory, channel) }
        }
        return Running(loop: loop, thread: Held(thread))
    }

    private func run(_ memory: SharedMemory, _ channel: consuming EventChannel) throws {
        var ring = BackRing<BlockRequest, BlockResponse>(attachingTo: memory)
        while !isOver.load(ordering: .acquiring) {
            guard let event = try events.wait(until: .after(.seconds(30))) else { continue }
            try drain(&ring, channel)
            try event.unmask()
            try drain(&ring, channel)
        }
    }

    private func drain(
        _ ring: inout BackRing<BlockRequest, BlockResponse>, _ channel: borrowing EventChannel
    ) throws {
        let notification = try ring.serve {
            BlockResponse(id: $0.id, operation: $0.operation)
        }
        if notification == .required { try channel.notify() }
    }

    private final class Held: Sendable {
        private let thread: Mutex<PlatformThread?>
        init(_ thread: consuming PlatformThread) { self.thread = Mutex(thread) }
        func join() { thread.withLock { $0.take() }?.join() }
    }

    private struct Running: Drainer {
        let loop: DrainingLoop
        let thread: Held

        func stop() {
            loop.isOver.store(true, ordering: .releasing)
            loop.events.interrupt()
            thread.join()
        }
    }
}
