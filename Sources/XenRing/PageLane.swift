public import Synchronization
import XenCore

/// One direction of a ring that lies in shared memory.
@safe
@frozen
@usableFromInline
struct PageLane<Message: RingMessage, Reply: RingMessage>: RingLane, @unchecked Sendable {
    // Invariant of all three: made from a view of at least header + slots bytes, page-aligned, that its
    // maker keeps mapped; both words are only ever accessed atomically.
    @usableFromInline let producer: UnsafeMutablePointer<Atomic<UInt32>>
    @usableFromInline let event: UnsafeMutablePointer<Atomic<UInt32>>
    @usableFromInline let slots: UnsafeMutableRawPointer
    @usableFromInline let mask: UInt32
    @usableFromInline let direction: RingDirection

    init(_ direction: RingDirection, in memory: SharedMemory, slotCount: UInt32) {
        let base = unsafe memory.baseAddress
        precondition(UInt(bitPattern: base) % 64 == 0, "a ring begins at the start of a page")
        let words = unsafe base.assumingMemoryBound(to: Atomic<UInt32>.self)
        let first = direction == .request ? 0 : 2
        unsafe producer = words + first
        unsafe event = words + first + 1
        unsafe slots = base + RingLayout<Message, Reply>.headerByteCount
        mask = slotCount - 1
        self.direction = direction
    }

    @inlinable
    func observeProducer() -> RingIndex {
        // Sequentially consistent: an acquire, and ordered after `armEvent`'s exchange.
        unsafe RingIndex(producer.pointee.load(ordering: .sequentiallyConsistent))
    }

    @inlinable
    func publishProducer(_ index: RingIndex) {
        // An exchange is the store, its release and the full fence in one instruction.
        _ = unsafe producer.pointee.exchange(index.rawValue, ordering: .sequentiallyConsistent)
    }

    @inlinable
    func observeEvent() -> RingIndex {
        unsafe RingIndex(event.pointee.load(ordering: .sequentiallyConsistent))
    }

    @inlinable
    func armEvent(_ index: RingIndex) {
        _ = unsafe event.pointee.exchange(index.rawValue, ordering: .sequentiallyConsistent)
    }

    @inlinable
    func load(at index: RingIndex) -> Message {
        let message = unsafe slot(index).load(as: Message.self)
        // No instruction on x86. It keeps the compiler from reading the slot again later, when the
        // peer may have changed it (XSA-155).
        atomicMemoryFence(ordering: .acquiring)
        return message
    }

    @inlinable
    func store(_ message: Message, at index: RingIndex) {
        unsafe slot(index).storeBytes(of: message, as: Message.self)
    }

    @inlinable
    func slot(_ index: RingIndex) -> UnsafeMutableRawPointer {
        // Safe: the mask keeps the position below the slot count.
        unsafe slots + index.position(mask: mask) * RingLayout<Message, Reply>.slotByteCount
    }
}
