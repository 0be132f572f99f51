public import Synchronization

/// One direction of a ring that lies in shared memory. `Reply` is the other direction's message.
@safe
@frozen
@usableFromInline
struct PageLane<Direction: LaneDirection, Message: RingMessage, Reply: RingMessage>: RingLane {
    // Invariant: that of `RingPage`. Both indices are only ever accessed atomically.
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let mask: UInt32

    @unsafe
    @inlinable
    init(base: UnsafeMutableRawPointer, mask: UInt32) {
        unsafe self.base = unsafe base
        self.mask = mask
    }

    @inlinable var direction: RingDirection { Direction.direction }

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
    @unsafe
    var producer: UnsafeMutablePointer<Atomic<UInt32>> {
        unsafe (base + Direction.offset).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    @inlinable
    @unsafe
    var event: UnsafeMutablePointer<Atomic<UInt32>> {
        unsafe (base + Direction.offset + 4).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    @inlinable
    @unsafe
    func slot(_ index: RingIndex) -> UnsafeMutableRawPointer {
        // The mask keeps the position below the slot count.
        let layout = RingLayout<Message, Reply>.self
        return unsafe base + layout.headerByteCount
            + index.position(mask: mask) * layout.slotByteCount
    }
}
