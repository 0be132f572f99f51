import XenCore
import XenEvtchn
import XenGrant

/// The other half has let go, as it showed in the pages: what a wait for it ends with.
struct PeerIsGone: Error, CustomStringConvertible {
    var description: String { "the other half has let go of the pages" }
}

/// One end of an event channel between the halves. For one thread.
final class RingBell: TrafficBell {
    let port: EventPort
    /// The times that the port has rung.
    private(set) var wakeUpCount = 0

    private let half: RingHalf
    private var channel: EventChannel?
    /// Where the peer's letting go shows: a byte that is 1 until then.
    private var life: SharedMemory?

    private init(_ half: RingHalf, _ channel: consuming EventChannel) {
        self.half = half
        port = channel.port
        self.channel = consume channel
    }

    /// A new port, which the other half may bind to.
    convenience init(offeredBy half: RingHalf) throws {
        try self.init(half, half.party.events.bindUnbound(for: half.peer))
    }

    /// Bound to the other half's port.
    convenience init(_ half: RingHalf, boundTo port: EventPort) throws {
        try self.init(half, half.party.events.bindInterdomain(to: port, of: half.peer))
    }

    /// From now on the peer's letting go ends a sleep: this byte of pages that outlive the bell is no longer 1 then.
    func watch(_ life: SharedMemory) { self.life = life }

    func notify() throws { try channel?.notify() }

    /// Throws `PeerIsGone` when the peer has let go, and what was expected when nothing rings in time.
    func sleep() throws {
        try lookForLife()
        let ringing = try half.nextRing("asleep after \(wakeUpCount) wake-ups")
        try expect("the port that rings", ringing, is: port)
        wakeUpCount += 1
        try lookForLife()
    }

    func close() throws { try channel.take()?.close() }

    private func lookForLife() throws {
        if let life, life.bytes(at: 0, count: 1) != [1] { throw PeerIsGone() }
    }
}
