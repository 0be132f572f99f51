import XenCore

/// A ring's memory and the number of its slots: what both directions share.
@safe
@frozen
@usableFromInline
struct RingPage<Request: RingMessage, Response: RingMessage>: @unchecked Sendable {
    // Invariant: the start of a view with room for the header and all slots, which its maker keeps mapped.
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let mask: UInt32

    init(_ memory: SharedMemory) {
        let base = unsafe memory.baseAddress
        precondition(UInt(bitPattern: base) % 64 == 0, "a ring begins at the start of a page")
        unsafe self.base = unsafe base
        mask = RingLayout<Request, Response>.slotCount(byteCount: memory.byteCount) - 1
    }

    @inlinable var slotCount: UInt32 { mask &+ 1 }

    @inlinable var requests: PageLane<Requests, Request, Response> {
        unsafe PageLane(base: base, mask: mask)
    }

    @inlinable var responses: PageLane<Responses, Response, Request> {
        unsafe PageLane(base: base, mask: mask)
    }
}

/// A direction as a type, so that the compiler knows where its indices lie.
@usableFromInline
protocol LaneDirection {
    static var direction: RingDirection { get }
    /// Where the producer index lies, with the event index after it; in bytes.
    static var offset: Int { get }
}

@frozen
@usableFromInline
enum Requests: LaneDirection {
    @inlinable static var direction: RingDirection { .request }
    @inlinable static var offset: Int { 0 }
}

@frozen
@usableFromInline
enum Responses: LaneDirection {
    @inlinable static var direction: RingDirection { .response }
    @inlinable static var offset: Int { 8 }
}
