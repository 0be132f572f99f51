import XenCore

import XenEvtchn

/// A rule that is taken out, to see that the exploration misses it.
enum LoopMutation: CaseIterable {
    /// After unmasking, the handler does not look again.
    case noLookAfterUnmasking
    /// A ring that was left unarmed is not armed before the thread sleeps.
    case noArmingBeforeSleep
    /// A waiter reads the count after it looked, not before.
    case countAfterLook
}

/// An event thread's shell, its peers and whoever waits for it, in one value that takes one step at a time.
///
/// Rings and peers follow the notification rule of ring.h. The back end is the weakest that there can be: what
/// rings while it is masked is forgotten, unless `remembers`.
struct ModelWorld: Hashable {
    struct Ring: Hashable {
        var produced = 0
        var consumed = 0
        /// The message whose producer has to notify.
        var event = 1
    }

    struct Peer: Hashable {
        var left: Int
        /// It has written, and does not know yet whether to notify.
        var isWriting = false
    }

    enum Stage: Hashable { case taking, arming, looking }

    enum Shell: Hashable {
        case deciding
        case inTurn(EventThread.PortID, ring: Int, EventThread.Turn, handled: Int, Stage)
        case unmasking(EventThread.PortID, ring: Int)
        case collecting
        case spinning
        case asleep
    }

    /// Waits for the last port, which then has no handler, and takes its messages itself.
    enum Consumer: Hashable {
        case reading
        case looking(count: UInt64, Stage)
        case counting
        case beginning(count: UInt64)
        case waiting(ticket: UInt64)
    }

    let mutation: LoopMutation?
    let remembers: Bool
    var scheduler: PortScheduler
    var ids: [EventThread.PortID] = []
    var rings: [Ring]
    var peers: [Peer]
    var isMasked: [Bool]
    var isPending: [Bool]
    var queue: [Int] = []
    var shell = Shell.deciding
    var consumer: Consumer?
    /// The next turn is the look after unmasking.
    var isLooking = false
    /// It has spun in vain: what comes next are the turns that arm, then sleep.
    var isGoingToSleep = false

    init(
        portCount: Int, messageCount: Int, spins: Bool, hasConsumer: Bool = false,
        remembers: Bool = false, without mutation: LoopMutation? = nil
    ) {
        self.mutation = mutation
        self.remembers = remembers
        var limits = EventThread.Limits()
        limits.messagesPerTurn = 1
        scheduler = PortScheduler(
            limits: limits,
            policy: SpinPolicy(processorCount: spins ? 2 : 1, longest: limits.longestSpin))
        rings = [Ring](repeating: Ring(), count: portCount)
        peers = [Peer](repeating: Peer(left: messageCount), count: portCount)
        isMasked = [Bool](repeating: false, count: portCount)
        isPending = isMasked
        for port in 0..<portCount {
            let isWatched = hasConsumer && port == portCount - 1
            ids.append(
                scheduler.add(
                    EventPort(UInt32(port)), hasHandler: !isWatched, hasPoll: spins && !isWatched))
        }
        consumer = hasConsumer ? .reading : nil
    }

    /// All have what was sent to them.
    var isDone: Bool { rings.allSatisfy { $0.produced == $0.consumed } }

    /// The worlds to which one more step of anybody leads; none when everybody sleeps.
    var successors: [ModelWorld] {
        var worlds = peers.indices.compactMap { after { $0.peerStep($1) }($0) }
        if let world = after({ world, _ in world.shellStep() })(0) { worlds.append(world) }
        if let world = after({ world, _ in world.consumerStep() })(0) { worlds.append(world) }
        return worlds
    }

    private func after(
        _ step: @escaping (inout ModelWorld, Int) -> Bool
    ) -> (Int) -> ModelWorld? {
        { index in
            var world = self
            return step(&world, index) ? world : nil
        }
    }
}

// Peers and the back end.
extension ModelWorld {
    private mutating func peerStep(_ index: Int) -> Bool {
        if peers[index].isWriting {
            peers[index].isWriting = false
            if rings[index].event == rings[index].produced { ring(index) }
            return true
        }
        guard peers[index].left > 0 else { return false }
        peers[index].left -= 1
        peers[index].isWriting = true
        rings[index].produced += 1
        return true
    }

    private mutating func ring(_ index: Int) {
        if isMasked[index] {
            isPending[index] = remembers
        } else {
            isMasked[index] = true
            queue.append(index)
        }
    }

    private mutating func unmask(_ index: Int) {
        isMasked[index] = false
        if isPending[index] {
            isPending[index] = false
            ring(index)
        }
    }
}

// The thread.
extension ModelWorld {
    private mutating func shellStep() -> Bool {
        switch shell {
        case .deciding: decide()
        case .inTurn(let id, let ring, let turn, let handled, let stage):
            takeTurn(id, ring, turn, handled, stage)
        case .unmasking(let id, let ring):
            unmask(ring)
            scheduler.unmasked(id)
            isLooking = true
            shell = .deciding
        case .collecting:
            if queue.isEmpty {
                shell = .deciding
            } else {
                scheduler.rang(EventPort(UInt32(queue.removeFirst())))
            }
        case .spinning:
            let found = ids.indices.first { rings[$0].produced > rings[$0].consumed }
            scheduler.spun(for: scheduler.policy.budget, foundWork: found != nil)
            if let found { scheduler.polled(ids[found]) }
            isGoingToSleep = found == nil
            shell = .deciding
        case .asleep:
            // A wait that begins calls the thread, as `EventLoop.change` does.
            guard !queue.isEmpty else { return false }
            scheduler.slept()
            scheduler.rang(EventPort(UInt32(queue.removeFirst())))
            shell = .deciding
        }
        return true
    }

    private mutating func decide() {
        let step = scheduler.next(hasJobs: false) { Self.now }
        let wasLooking = isLooking
        isLooking = false
        switch step {
        case .serve(let id, let turn):
            let ring = ids.firstIndex(of: id) ?? 0
            if wasLooking && mutation == .noLookAfterUnmasking
                || isGoingToSleep && mutation == .noArmingBeforeSleep
            {
                scheduler.served(id, .emptied(handled: 0)) { Self.now }
            } else {
                shell = .inTurn(id, ring: ring, turn, handled: 0, .taking)
            }
        case .unmask(let id, _):
            shell = .unmasking(id, ring: ids.firstIndex(of: id) ?? 0)
        case .collect: shell = .collecting
        case .spin: shell = .spinning
        case .park:
            shell = .asleep
            isGoingToSleep = false
        case .runJobs: break
        }
    }

    private mutating func takeTurn(
        _ id: EventThread.PortID, _ ring: Int, _ turn: EventThread.Turn, _ handled: Int,
        _ stage: Stage
    ) {
        func go(_ stage: Stage, _ handled: Int) -> Shell {
            .inTurn(id, ring: ring, turn, handled: handled, stage)
        }
        let hasWork = rings[ring].produced > rings[ring].consumed
        switch stage {
        case .taking where handled == turn.budget: end(id, .budgetUsed(handled: handled))
        case .taking where hasWork:
            rings[ring].consumed += 1
            shell = go(.taking, handled + 1)
        case .taking where !turn.mustArm: end(id, .unarmed(handled: handled))
        case .taking: shell = go(.arming, handled)
        case .arming:
            rings[ring].event = rings[ring].consumed + 1
            shell = go(.looking, handled)
        case .looking where hasWork: shell = go(.taking, handled)
        case .looking: end(id, .emptied(handled: handled))
        }
    }

    private mutating func end(_ id: EventThread.PortID, _ outcome: EventThread.Outcome) {
        scheduler.served(id, outcome) { Self.now }
        shell = .deciding
    }

    /// It stands still: no wait times out.
    private static let now = ContinuousClock.now
    private static let never = now + .seconds(1_000_000)

    private mutating func consumerStep() -> Bool {
        guard let consumer else { return false }
        let ring = rings.count - 1
        let hasWork = rings[ring].produced > rings[ring].consumed
        let count = scheduler.activationCount(of: ids[ring]) ?? 0
        switch consumer {
        case .reading: self.consumer = .looking(count: count, .taking)
        case .looking(_, .taking) where hasWork: rings[ring].consumed += 1
        case .looking(let count, .taking): self.consumer = .looking(count: count, .arming)
        case .looking(let count, .arming):
            rings[ring].event = rings[ring].consumed + 1
            self.consumer = .looking(count: count, .looking)
        case .looking(let count, .looking) where hasWork:
            self.consumer = .looking(count: count, .taking)
        case .looking(let count, .looking):
            self.consumer = mutation == .countAfterLook ? .counting : .beginning(count: count)
        case .counting: self.consumer = .beginning(count: count)
        case .beginning(let count):
            switch scheduler.wait(for: ids[ring], after: count, until: Self.never) {
            case .over: self.consumer = .reading
            case .waiting(let ticket): self.consumer = .waiting(ticket: ticket)
            }
        case .waiting(let ticket):
            guard scheduler.woken.contains(where: { $0.ticket == ticket }) else { return false }
            _ = scheduler.takeWoken()
            self.consumer = .reading
        }
        return true
    }
}
