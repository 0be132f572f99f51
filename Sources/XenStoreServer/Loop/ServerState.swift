import XenCore
import XenRing
import XenStoreWire
import XenSystem

/// The core, its connections and what they wait for. The loop and the server's owner take turns with it.
struct ServerState: ~Copyable {
    struct Listener {
        let descriptor: SharedDescriptor
        let path: String
    }

    var core: StoreCore
    let epoll: Epoll
    let stallTimeout: Duration
    let guests: GuestHost?
    /// Where the core's connections are, by `ConnectionID.place`.
    var sessions: [ServerSession?] = []
    var listeners: [Listener] = []

    /// Those that are served in the next turn although nobody will tell of them.
    var owed: [ConnectionID] = []
    /// Those with something to write.
    var dirty: [ConnectionID] = []
    /// Those whose domain the core does not serve now.
    var heldByCore: [ConnectionID] = []
    /// The core's count of changes to quotas, as far as sessions know of them.
    var adoptedQuotaChangeCount = 0
    /// Readers that took less than there was, the longest first.
    var slowReaders = SlowReaders()

    /// Nil where nobody tells us of domains that die.
    var lookout: DomainLookout?
    /// When domains are to be looked at again, since nobody could be asked.
    var domainsToBeLookedAt: Deadline?
    /// Domains' rings, by `RingID.place`.
    var rings: [DomainRing?] = []
    var ringPlaces: [EventPort: Int] = [:]
    var scheduler: RingScheduler
    /// Rings are to be looked at again by then.
    var ringDeadline: Deadline?

    /// When accepting failed for want of descriptors: not to be tried before this.
    var acceptPause: Deadline?
    var isStopped = false
    /// What the core wants done, kept for its memory.
    var outputs: [StoreOutput] = []
    /// What the owner is told after this turn.
    var notices: [StoreServerNotice] = []
    var noticeBudget = NoticeBudget()
    /// The time of this turn.
    var now = Deadline.now

    init(
        quota: StoreQuota, guests: GuestHost?, lookout: consuming sending DomainLookout?,
        stallTimeout: Duration, _ epoll: Epoll
    ) {
        self.lookout = lookout
        core = StoreCore(quota: quota)
        self.epoll = epoll
        self.guests = guests
        self.stallTimeout = stallTimeout
        var limits = RingScheduler.Limits()
        if let guests { limits.checkPeriod = guests.checkPeriod }
        scheduler = RingScheduler(limits: limits)
    }

    /// The way to guests. Without it the caller has made a mistake.
    var guestHost: GuestHost {
        guard let guests else {
            preconditionFailure("this server was made without a way to guests")
        }
        return guests
    }

    func session(_ id: ConnectionID) -> ServerSession? {
        guard id.place < sessions.count, let session = sessions[id.place], session.id == id else {
            return nil
        }
        return session
    }

    /// How long the loop may sleep, in milliseconds; nil for ever.
    ///
    /// Mutating, though it changes nothing: the whole state, a kilobyte, would be copied for a call that only looks.
    mutating func patience() -> Int32? {
        if !owed.isEmpty { return 0 }
        // One by one: a list of them would be made in each turn, and mostly there are none.
        var first = ringDeadline
        first = Deadline.earlier(first, acceptPause)
        first = Deadline.earlier(first, slowReaders.next)
        first = Deadline.earlier(first, domainsToBeLookedAt)
        if !heldByCore.isEmpty { first = Deadline.earlier(first, core.nextWake ?? now) }
        return first?.milliseconds(after: now)
    }
}

extension Deadline {
    /// The first of both; nil only when there is none.
    static func earlier(_ one: Deadline?, _ other: Deadline?) -> Deadline? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }

    /// Rounded up, so that a wait of as long does not end before; 0 if this comes before `now`.
    func milliseconds(after now: Deadline) -> Int32 {
        let attoseconds = (sinceEpoch - now.sinceEpoch).attoseconds
        guard attoseconds > 0 else { return 0 }
        return Int32(clamping: (attoseconds - 1) / 1_000_000_000_000_000 + 1)
    }
}
