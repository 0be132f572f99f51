import XenRing

/// What comes next in an end, or is under way.
enum ModelPhase: UInt32 {
    case staging, publishing, notifying, taking
    /// After the final check: publish what is staged, then sleep.
    case publishingLast, notifyingLast
    /// Before sleep, for an end that works with its port masked.
    case acknowledging, unmasking
    case asleep
    /// Says that it goes, and then takes what the other still says.
    case leaving
    /// The other has gone: one more look for what it left, and then says that it goes, too.
    case takingLast, leavingLast
    case ended, crashed
}

/// One end of a ring, with what it does between the ring's operations: a state that steps access by
/// access.
protocol ModelEnd {
    var rules: ModelRules { get }

    /// Which way its own messages go.
    static var sends: RingDirection { get }

    var phase: ModelPhase { get set }

    /// What the operation under way has read so far.
    var reads: [UInt32] { get set }

    /// Messages that have not reached memory.
    var buffered: [BufferedStore] { get set }

    /// Whether it has said that it goes.
    var hasLeft: Bool { get set }

    var mayClose: Bool { get }
    var mayCrash: Bool { get }
    var hasStaged: Bool { get }

    /// The states to which one more access can lead, several where this end may choose; none while
    /// it sleeps.
    func steps(_ stepped: SteppedPage) throws -> [Self]

    /// All that tells this state from others, but for what they have in common.
    var ownKey: [UInt32] { get }
}

extension ModelEnd {
    static var receives: RingDirection { sends == .request ? .response : .request }

    var key: [UInt32] {
        [phase.rawValue, hasLeft ? 1 : 0, UInt32(reads.count), UInt32(buffered.count)] + reads
            + buffered.map { $0.message << 8 | UInt32($0.position) } + ownKey
    }

    /// This state, with its operation finished, before each of the operations that may follow.
    func before(_ phases: ModelPhase...) -> [Self] {
        phases.map { phase in
            var next = self
            (next.phase, next.reads) = (phase, [])
            return next
        }
    }

    /// This state, with its operation one access further.
    func having(read value: UInt32) -> [Self] {
        var next = self
        next.reads.append(value)
        return [next]
    }

    func expect(_ message: UInt32, _ expected: UInt32) throws(WrongMessage) {
        guard message == expected else { throw WrongMessage(message: message, expected: expected) }
    }

    /// What follows publishing.
    func afterPublishing(_ notification: PeerNotification, else other: ModelPhase) -> [Self] {
        let notifies = notification == .required && !rules.lacks(.noNotification, Self.sends)
        guard notifies else { return before(other) }
        return before(phase == .publishingLast ? .notifyingLast : .notifying)
    }

    /// What follows a final check after which there is nothing to do.
    func beforeSleep(_ page: ModelPage) -> [Self] {
        page[consumerOf: Self.receives].isMasked ? before(.acknowledging) : before(.asleep)
    }
}

/// What an end does with its port and about its own end: the same for both.
extension ModelEnd {
    func restingSteps(_ stepped: SteppedPage) -> [Self] {
        switch phase {
        case .acknowledging:
            stepped.page[consumerOf: Self.receives].isPending = false
            return before(.unmasking)
        case .unmasking:
            stepped.page[consumerOf: Self.receives].isMasked = false
            return before(rules.lacks(.noLookAfterUnmask, Self.receives) ? .asleep : .taking)
        case .asleep: return wake(&stepped.page[consumerOf: Self.receives])
        case .leaving, .leavingLast:
            stepped.page[producerOfIsGone: Self.sends] = true
            var next = self
            next.hasLeft = true
            return next.before(phase == .leaving ? .taking : .ended)
        default: return []
        }
    }

    private func wake(_ port: inout ModelPage.Port) -> [Self] {
        guard port.isPending && !port.isMasked else { return [] }
        port.isMasked = true
        guard rules.acknowledgement == .early else { return before(.taking) }
        port.isPending = false
        return before(.unmasking)
    }

    /// Wakes because the store says that the other end has gone.
    func noticeSteps(_ stepped: SteppedPage) -> [Self] {
        guard phase == .asleep, stepped.page[producerOfIsGone: Self.receives] else { return [] }
        guard rules.lacks(.noLastLook, Self.receives) else { return before(.takingLast) }
        return before(hasLeft ? .ended : .leavingLast)
    }

    /// Goes, of its own will, while no operation is under way.
    func closingSteps(_ stepped: SteppedPage) -> [Self] {
        guard mayClose, !hasLeft, reads.isEmpty else { return [] }
        if phase == .publishing, rules.lacks(.leavesBeforePublishing, Self.sends) {
            stepped.page[producerOfIsGone: Self.sends] = true
            var next = self
            next.hasLeft = true
            return [next]
        }
        return (phase == .taking || phase == .asleep) && !hasStaged ? before(.leaving) : []
    }

    /// Dies at any point, or is told to be dead.
    func crashingSteps(_ stepped: SteppedPage) -> [Self] {
        if phase == .crashed, !stepped.page[producerOfIsGone: Self.sends] {
            stepped.page[producerOfIsGone: Self.sends] = true
            return [self]
        }
        return mayCrash && phase != .crashed && phase != .ended ? before(.crashed) : []
    }

    /// Lets one message reach memory.
    func flushingSteps(_ stepped: SteppedPage) -> [Self] {
        guard let store = buffered.first else { return [] }
        if rules.without == .publishBeforeStore, hasStaged { return [] }
        stepped.page.slots[store.position] = store.message
        var next = self
        next.buffered.removeFirst()
        return [next]
    }
}

/// A message was lost, repeated or overwritten.
struct WrongMessage: Error {
    let message: UInt32
    let expected: UInt32
}
