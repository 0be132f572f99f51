import XenRing

/// A rule that is taken out, to see that the explorer misses it.
enum Mutation: CaseIterable {
    /// The consumer sets the event index, but does not look again.
    case noFinalLook
    /// The consumer's final look overtakes its store of the event index, as without its fence.
    case noConsumerFence
    /// The producer goes by the event index of the beginning, and does not look at the present one.
    case noEventLook
    /// The producer's look at the event index overtakes its store of the producer index.
    case noProducerFence
    /// The producer does not notify although it has to.
    case noNotification
    /// The producer writes the message after the producer index.
    case publishBeforeStore
    /// The message may reach memory after the producer index, as without the producer's release.
    case noRelease
    /// The message may be read before the producer index, as without the consumer's acquire.
    case noAcquire
    /// The consumer does not look again after it has acknowledged its event and unmasked its port.
    case noLookAfterUnmask
    /// The consumer does not look again after it has learnt that the producer has gone.
    case noLastLook
    /// The producer says that it has gone before it publishes what it has staged.
    case leavesBeforePublishing
}

/// How an end takes an event from its port.
enum Acknowledgement: CaseIterable {
    /// As Linux's /dev/xen/evtchn: the event is taken when it is read, its port masked until it is
    /// unmasked, and what rings meanwhile stays pending.
    case early
    /// As a handler of upcalls that masks its port, works, then clears the pending bit, with
    /// whatever rang meanwhile.
    case late
}

/// What may end besides the work.
struct Endings: OptionSet {
    let rawValue: Int
    /// At any access: silently, but the other end is told some time later, as a backend is through
    /// the store.
    static let frontCrashes = Endings(rawValue: 1)
    static let backCrashes = Endings(rawValue: 2)
    /// Between operations: it publishes what it has staged, and then says that it goes.
    static let frontCloses = Endings(rawValue: 4)
    static let backCloses = Endings(rawValue: 8)
}

/// The rules of one exploration.
struct ModelRules {
    var without: Mutation?
    /// The messages for which it is taken out.
    var direction = RingDirection.request
    var acknowledgement = Acknowledgement.early
    var endings: Endings = []
    /// How often an end looks in vain before it asks to be notified, as one that spins does.
    var looks = 0

    func lacks(_ mutation: Mutation, _ direction: RingDirection) -> Bool {
        without == mutation && self.direction == direction
    }
}
