/// A slot of a `RequestTable`.
@frozen
@usableFromInline
struct RequestEntry<Request, Payload> {
    @usableFromInline
    enum State {
        case free
        case waiting(Request, Payload)
        /// Nobody waits, but the peer has it and may still write to its pages.
        case abandoned(Request)
    }

    @usableFromInline var state = State.free
    /// The requests of this epoch that the slot has had; the newest one's generation is one less.
    @usableFromInline var useCount: UInt32 = 0
    /// The next in the list that this slot is in, of the free or of the waiting. -1: none.
    @usableFromInline var next: Int32
    /// The one that waits and was issued before this one. -1: none.
    @usableFromInline var previous: Int32 = -1

    init(next: Int32) { self.next = next }
}

extension RequestEntry: Sendable where Request: Sendable, Payload: Sendable {}
extension RequestEntry.State: Sendable where Request: Sendable, Payload: Sendable {}
