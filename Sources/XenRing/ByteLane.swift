import Synchronization
import XenCore

/// The shared memory of one direction.
@safe
struct ByteLane: @unchecked Sendable {
    // Invariant: both words lie in a page that its maker keeps mapped, and are only accessed atomically.
    private let consumer: UnsafeMutablePointer<Atomic<UInt32>>
    private let producer: UnsafeMutablePointer<Atomic<UInt32>>
    private let bytes: SharedMemory
    let direction: RingDirection

    init(_ direction: RingDirection, in page: SharedMemory) {
        precondition(page.byteCount >= Page.byteCount, "the xenstore's ring takes a page")
        let (bytesOffset, indexOffset) = direction == .request ? (0, 2048) : (1024, 2056)
        let base = unsafe page.baseAddress
        precondition(UInt(bitPattern: base) % 4 == 0, "the xenstore's ring begins with a page")
        unsafe consumer = (base + indexOffset).assumingMemoryBound(to: Atomic<UInt32>.self)
        unsafe producer = (base + indexOffset + 4).assumingMemoryBound(to: Atomic<UInt32>.self)
        bytes = page.slice(offset: bytesOffset, byteCount: ByteRing.byteCount)
        self.direction = direction
    }

    /// Acquire: its partner is the writer's `publishProducer`, so that the bytes are seen whole.
    func observeProducer() -> RingIndex {
        unsafe RingIndex(producer.pointee.load(ordering: .acquiring))
    }

    /// Acquire: its partner is the reader's `publishConsumer`, so that no byte is overwritten before it was read.
    func observeConsumer() -> RingIndex {
        unsafe RingIndex(consumer.pointee.load(ordering: .acquiring))
    }

    /// Release: its partner is the reader's `observeProducer`.
    func publishProducer(_ index: RingIndex) {
        unsafe producer.pointee.store(index.rawValue, ordering: .releasing)
    }

    /// Release: its partner is the writer's `observeConsumer`.
    func publishConsumer(_ index: RingIndex) {
        unsafe consumer.pointee.store(index.rawValue, ordering: .releasing)
    }

    /// Copies bytes in, around the end of the ring if need be.
    func store(_ source: UnsafeRawBufferPointer, at index: RingIndex) {
        let (position, first) = split(index, source.count)
        unsafe bytes.store(UnsafeRawBufferPointer(rebasing: source[..<first]), at: position)
        unsafe bytes.store(UnsafeRawBufferPointer(rebasing: source[first...]), at: 0)
    }

    /// Copies bytes out, once, around the end of the ring if need be.
    func load(to destination: UnsafeMutableRawBufferPointer, at index: RingIndex) {
        let (position, first) = split(index, destination.count)
        unsafe bytes.copyBytes(
            at: position, to: UnsafeMutableRawBufferPointer(rebasing: destination[..<first]))
        unsafe bytes.copyBytes(
            at: 0, to: UnsafeMutableRawBufferPointer(rebasing: destination[first...]))
    }

    private func split(_ index: RingIndex, _ count: Int) -> (position: Int, first: Int) {
        let position = index.position(mask: UInt32(ByteRing.byteCount - 1))
        return (position, min(count, ByteRing.byteCount - position))
    }
}
