public import Synchronization
public import XenCore

/// One direction of bytes in shared memory, with free-running indices: half of a xenstore page, or of a 9pfs or
/// pvcalls ring. It says where the bytes lie; a `Writer` and a `Reader` are its ends.
///
///     var requests = ByteRing.Writer(.xenstore(.request, in: page))
///     let count = try requests.stage(message.span)        // fewer than all: the ring is full
///     if try requests.publish() == .required { try channel.notify() }
///
/// The indices need not start at 0: each end goes on where its own index in the page stands, and keeps it
/// privately from then on. Nothing here blocks, and nothing allocates but arrays that bytes are appended to.
///
/// ## Which notifications can be left out
///
/// These rings have no event index with which an end could ask for a notification. But each end sees how far the
/// other is, and that is enough if the other waits for *any* byte or any room, and looks again after it has moved
/// its own index, before it sleeps (`PeerWaits.forAny`):
///
/// - A reader sleeps only where it has read all. So bytes need a notification only if the reader, looked at
///   after they were published, had read exactly what was published before them.
/// - A writer sleeps only beside a full ring. So room needs a notification only if the ring, looked at after
///   the room was given back, had been full before.
/// - None of these two can be left out. Each look needs a full fence between it and the store of the own index, at
///   both ends; `Tests/XenRingTests/Interleaving/ByteInterleavingTests.swift` walks through all orders of events,
///   and finds a lost wake-up for each store, look, fence or notification that is taken out.
///
/// A peer that waits for *enough*, such as a whole header, may sleep beside bytes or room that it finds too few,
/// and has to be notified of all: once for each `publish` or `commit` that moved bytes (`PeerWaits.forEnough`).
///
/// Linux's xenbus, as a client, leaves out the same notifications, so xenstored and oxenstored look again, and it does so
/// itself; hence `.forAny` is the rule for a xenstore page. Linux's 9pfs frontend waits for room for a whole
/// request, and QEMU's backend for a whole header; hence `.forEnough` for the others, unless the caller knows better.
@safe
@frozen
public struct ByteRing: @unchecked Sendable {
    /// What the peer may wait for, which decides when it has to be notified.
    @frozen
    public enum PeerWaits: Hashable, Sendable {
        /// For the next byte or any room: it takes or uses what it finds, and looks again before it sleeps.
        case forAny
        /// For a number of bytes, or of free bytes, of its choice.
        case forEnough
    }

    /// What a read or write did.
    @frozen
    public struct Transfer: Hashable, Sendable {
        /// The bytes that moved. Fewer than asked for only when the ring is full or empty, after the final check.
        public let byteCount: Int

        /// Whether the peer has to be notified.
        public let notification: PeerNotification

        @inlinable
        init(byteCount: Int, notification: PeerNotification) {
            self.byteCount = byteCount
            self.notification = notification
        }
    }

    // Invariant: the consumer index, with the producer index after it, the error if there is one, and `capacity`
    // bytes, all in memory that their maker keeps mapped. Indices and error are only accessed atomically.
    @usableFromInline let consumer: UnsafeMutablePointer<Atomic<UInt32>>
    @usableFromInline let error: UnsafeMutablePointer<Atomic<Int32>>?
    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline package let capacity: UInt32

    /// Which way the bytes go.
    public let direction: RingDirection

    /// What the peer may wait for.
    public let peerWaits: PeerWaits

    /// The bytes that the ring holds: a power of two.
    public var byteCount: Int { Int(capacity) }

    init(
        _ direction: RingDirection, at place: BytePlace, indices: SharedMemory,
        data: SharedMemory, peerWaits: PeerWaits
    ) {
        // Both slices check that the place lies within its pages.
        let words = unsafe indices.slice(offset: place.indexOffset, byteCount: 8).baseAddress
        precondition(UInt(bitPattern: words) % 8 == 0, "a ring's indices begin with a page")
        unsafe consumer = unsafe words.assumingMemoryBound(to: Atomic<UInt32>.self)
        unsafe error = unsafe place.errorOffset.map { offset in
            let word = unsafe indices.slice(offset: offset, byteCount: 4).baseAddress
            return unsafe word.assumingMemoryBound(to: Atomic<Int32>.self)
        }
        unsafe bytes =
            unsafe data.slice(offset: place.dataOffset, byteCount: place.byteCount).baseAddress
        capacity = UInt32(place.byteCount)
        self.direction = direction
        self.peerWaits = peerWaits
    }

    /// One direction of the xenstore's page: 1024 bytes. The client writes requests and reads responses.
    /// The corresponding Xen type is `struct xenstore_domain_interface` (xen/include/public/io/xs_wire.h).
    ///
    /// - Parameter page: stays mapped for as long as the ring is used.
    public static func xenstore(
        _ direction: RingDirection, in page: SharedMemory, peerWaits: PeerWaits = .forAny
    ) -> ByteRing {
        ByteRing(
            direction, at: direction == .request ? .xenstoreRequests : .xenstoreResponses,
            indices: page, data: page, peerWaits: peerWaits)
    }
}
