public import Synchronization
import XenCore

extension ByteRing: ByteLane {
    @inlinable
    package func observeProducer() -> RingIndex {
        // Sequentially consistent: an acquire, and ordered after `publishConsumer`'s exchange.
        unsafe RingIndex((consumer + 1).pointee.load(ordering: .sequentiallyConsistent))
    }

    @inlinable
    package func observeConsumer() -> RingIndex {
        unsafe RingIndex(consumer.pointee.load(ordering: .sequentiallyConsistent))
    }

    @inlinable
    package func publishProducer(_ index: RingIndex) {
        // An exchange is the store, its release and the full fence in one instruction.
        _ = unsafe (consumer + 1).pointee.exchange(
            index.rawValue, ordering: .sequentiallyConsistent)
    }

    @inlinable
    package func publishConsumer(_ index: RingIndex) {
        _ = unsafe consumer.pointee.exchange(index.rawValue, ordering: .sequentiallyConsistent)
    }

    @inlinable
    package func load(to destination: UnsafeMutableRawBufferPointer, at index: RingIndex) {
        guard let target = destination.baseAddress else { return }
        let (position, first) = split(index, destination.count)
        // Safe: both parts lie within the ring's bytes and, together, in `destination`, which is private.
        unsafe target.copyMemory(from: bytes + position, byteCount: first)
        if first < destination.count {
            unsafe (target + first).copyMemory(from: bytes, byteCount: destination.count - first)
        }
        // No instruction on x86. It keeps the compiler from reading the ring again later, when the peer may
        // have changed it (XSA-155).
        atomicMemoryFence(ordering: .acquiring)
    }

    @inlinable
    package func store(_ source: UnsafeRawBufferPointer, at index: RingIndex) {
        guard let start = source.baseAddress else { return }
        let (position, first) = split(index, source.count)
        // Safe: both parts lie within the ring's bytes and, together, in `source`, which is private.
        unsafe (bytes + position).copyMemory(from: start, byteCount: first)
        if first < source.count {
            unsafe bytes.copyMemory(from: start + first, byteCount: source.count - first)
        }
    }

    @inlinable
    package func observeError() -> Int32 {
        guard let error = unsafe error else { return 0 }
        return unsafe error.pointee.load(ordering: .sequentiallyConsistent)
    }

    @inlinable
    package func publishError(_ value: Int32) {
        guard let error = unsafe error else {
            preconditionFailure("this kind of ring has no error field")
        }
        _ = unsafe error.pointee.exchange(value, ordering: .sequentiallyConsistent)
    }

    /// Where bytes begin, and how many of them lie before the ring's end.
    @inlinable
    func split(_ index: RingIndex, _ count: Int) -> (position: Int, first: Int) {
        precondition(count <= Int(capacity), "more bytes than the ring holds")
        let position = index.position(mask: capacity &- 1)
        return (position, min(count, Int(capacity) - position))
    }
}
