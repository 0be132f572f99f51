/// Where everything lies in a ring's memory: `struct <name>_sring` of xen/include/public/io/ring.h.
@usableFromInline
enum RingLayout<Message: RingMessage, Reply: RingMessage> {
    /// `req_prod` and `req_event`, then `rsp_prod` and `rsp_event`, then private bytes and padding.
    @inlinable static var headerByteCount: Int { 64 }

    /// A slot is the union of both messages: as large as the larger, aligned as the stricter.
    @inlinable static var slotByteCount: Int {
        let alignment = max(MemoryLayout<Message>.alignment, MemoryLayout<Reply>.alignment)
        let byteCount = max(MemoryLayout<Message>.stride, MemoryLayout<Reply>.stride)
        return (byteCount + alignment - 1) & ~(alignment - 1)
    }

    /// The slots that fit into `byteCount` bytes, rounded down to a power of two (`__RING_SIZE`).
    static func slotCount(byteCount: Int) -> UInt32 {
        precondition(
            MemoryLayout<Message>.stride == Message.byteCount
                && MemoryLayout<Reply>.stride == Reply.byteCount,
            "a message's Swift layout differs from the size that it declares")
        let fitting = (byteCount - headerByteCount) / slotByteCount
        precondition(fitting >= 1, "the memory is too small for a ring of one slot")
        return powerOfTwo(atMost: fitting)
    }
}

/// The largest power of two that is at most `count`, which is at least 1, and that a ring can have.
func powerOfTwo(atMost count: Int) -> UInt32 {
    let exponent = Int.bitWidth - 1 - count.leadingZeroBitCount
    return 1 << UInt32(min(exponent, 31))
}
