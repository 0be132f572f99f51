import Synchronization
package import XenCore
package import XenEvtchn
package import XenGrant
import XenSystem

/// Messages between two domains, over pages and a port of the link's own.
///
///     let (offer, link) = try Link.offer(to: .dom0, grants, events)            // in the guest
///     let link = try Link.attach(to: offer, of: DomainID(3), grants, events)   // in dom0
///     try link.start { message in ... } ended: { reason in ... }
///
/// A thread takes what comes; whoever sends writes to the ring itself, or leaves to the thread what the ring has no
/// room for. `grants` and `events` have to be handles that nobody else waits on.
package final class Link: Sendable {
    private let end: Mutex<LinkEnd?>
    private let events: EventChannels
    private let isFront: Bool
    private let isClosing = Atomic(false)
    private let thread = Mutex<PlatformThread?>(nil)

    private init(_ end: consuming LinkEnd, _ events: EventChannels, isFront: Bool) {
        self.end = Mutex(end)
        self.events = events
        self.isFront = isFront
    }

    /// The front end, with what the peer has to know. The peer may come at any time.
    package static func offer(
        to peer: DomainID, _ grants: GrantTable, _ events: EventChannels
    ) throws -> (LinkOffer, Link) {
        let end = try LinkEnd.offer(to: peer, grants, events)
        let offer = end.offer
        return (offer, Link(end, events, isFront: true))
    }

    /// The back end.
    package static func attach(
        to offer: LinkOffer, of peer: DomainID, _ grants: GrantTable, _ events: EventChannels
    ) throws -> Link {
        Link(try LinkEnd.attach(to: offer, of: peer, grants, events), events, isFront: false)
    }

    /// Begins to deliver, on a thread of its own.
    ///
    /// - Parameters:
    ///   - receive: called for each message, in order. May send.
    ///   - ended: called once, after the last message, when the peer is gone or has broken the ring.
    package func start(
        receive: @escaping @Sendable ([UInt8]) -> Void,
        ended: @escaping @Sendable (String) -> Void
    ) throws {
        let started = try PlatformThread { [self] in
            do {
                try deliver(receive)
            } catch {
                ended("\(error)")
            }
        }
        var taken: PlatformThread? = consume started
        thread.withLock { swap(&$0, &taken) }
    }

    /// Sends a message. Does not block: what there is no room for waits in private memory.
    package func send(_ message: [UInt8]) throws {
        try end.withLock { end in
            guard end != nil else { throw LinkEnded("this end of the link was closed") }
            try end?.send(message)
        }
    }

    private func deliver(_ receive: ([UInt8]) -> Void) throws {
        var hasCome = false
        while !isClosing.load(ordering: .acquiring) {
            // Before the messages: those that the peer sent last are there when it has gone.
            let lives = peerLives
            hasCome = hasCome || lives
            let messages = try end.withLock { try $0?.exchange() ?? [] }
            for message in messages { receive(message) }
            if hasCome, !lives, messages.isEmpty { throw LinkEnded("the other end is gone") }
            guard messages.isEmpty else { continue }
            if let event = try events.wait(until: .after(.seconds(60))) { try event.unmask() }
        }
    }

    private var peerLives: Bool { end.withLock { $0?.peerLives ?? false } }

    /// Ends the thread, which must not be the caller's, and lets go of pages and port. A second call does nothing.
    ///
    /// The front waits for the back to go first, since what that one maps cannot be let go of.
    package func close(until deadline: Deadline) throws {
        isClosing.store(true, ordering: .releasing)
        events.interrupt()
        thread.withLock { $0.take() }?.join()
        while isFront, peerLives, !deadline.hasPassed {
            if let event = try events.wait(until: deadline) { try event.unmask() }
        }
        try end.withLock { $0.take() }?.close()
    }
}

/// The link has come to its end.
struct LinkEnded: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
