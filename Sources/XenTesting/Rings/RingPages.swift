import XenCore
import XenGrant

/// The left half's pages and port. After the ring's pages comes one more, whose first byte tells that both halves
/// hold on to them.
struct OfferedRing: ~Copyable {
    let bell: RingBell
    let share: GrantShare
    private let half: RingHalf

    /// - Parameter pageCount: the ring's.
    init(_ half: RingHalf, pageCount: Int) throws {
        self.half = half
        let bell = try RingBell(offeredBy: half)
        let life = pageCount * Page.byteCount
        share = try half.party.grants.share(
            pageCount: pageCount + 1, with: half.peer,
            notification: UnmapNotification(clearByte: life, notifyPort: bell.port))
        share.store([1], at: life)
        // Safe: both owners close the bell before the pages, and nobody sleeps in between.
        bell.watch(unsafe share.memory.slice(offset: life, byteCount: 1))
        self.bell = bell
    }

    /// The ring's pages.
    @unsafe
    var memory: SharedMemory {
        unsafe share.memory.slice(offset: 0, byteCount: share.byteCount - Page.byteCount)
    }

    /// The ring's bytes, copied out.
    var bytes: [UInt8] { share.bytes(at: 0, count: share.byteCount - Page.byteCount) }

    /// Tells the right half of them. The ring has been made by then.
    func announce() throws {
        try half.tell([bell.port.rawValue] + share.references.map(\.rawValue))
    }

    /// Both halves hold on to the pages again.
    func comeToLife() { share.store([1], at: share.byteCount - Page.byteCount) }

    /// Lets the right half see that the left one goes.
    func sayGoodbye() throws {
        share.store([0], at: share.byteCount - Page.byteCount)
        try bell.notify()
        try bell.close()
    }

    /// Waits until the right half has let go of them, then lets go too.
    consuming func close() throws {
        try half.meet("the right half's letting go")
        try share.close()
        try bell.close()
    }
}

/// The same pages and port as the right half has them.
struct AttachedRing: ~Copyable {
    let bell: RingBell
    let mapping: GrantMapping
    private let half: RingHalf

    /// Waits for the left half's announcement.
    init(_ half: RingHalf) throws {
        let offer = try half.hear("an offer of pages and a port")
        guard offer.count > 2 else {
            throw ConformanceFailure("an offer of pages and a port has the numbers \(offer)")
        }
        try self.init(half, offer)
    }

    /// - Parameter offer: what was announced.
    init(_ half: RingHalf, _ offer: [UInt32]) throws {
        self.half = half
        let references = offer.dropFirst().map { GrantReference($0) }
        let bell = try RingBell(half, boundTo: EventPort(offer[0]))
        let life = (references.count - 1) * Page.byteCount
        mapping = try half.party.grants.map(
            references, of: half.peer,
            notification: UnmapNotification(clearByte: life, notifyPort: bell.port))
        // Safe: both owners close the bell before the pages, and nobody sleeps in between.
        bell.watch(unsafe mapping.memory.slice(offset: life, byteCount: 1))
        self.bell = bell
    }

    /// The ring's pages.
    @unsafe
    var memory: SharedMemory {
        unsafe mapping.memory.slice(offset: 0, byteCount: mapping.byteCount - Page.byteCount)
    }

    /// The ring's bytes, copied out.
    var bytes: [UInt8] { mapping.bytes(at: 0, count: mapping.byteCount - Page.byteCount) }

    /// Lets go, without a word to the left half but what the pages and the port tell.
    consuming func leave() throws {
        try mapping.close()
        try bell.close()
    }

    /// Lets go, and says so.
    consuming func close() throws {
        let half = half
        try leave()
        try half.meet("the left half's pages are its own again")
    }
}
