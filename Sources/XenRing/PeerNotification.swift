/// Whether the peer has to be notified of what was just published.
///
/// A peer that sleeps without the notification that it asked for sleeps for ever, so look at this each time:
///
///     if ring.publish() == .required { try channel.notify() }
@frozen
public enum PeerNotification: Hashable, Sendable {
    /// The peer asked to be woken by one of these messages: notify it.
    case required
    /// The peer is awake, or waits for a later message: a notification would be wasted.
    case notNeeded

    /// The rule of `RING_PUSH_REQUESTS_AND_CHECK_NOTIFY` (xen/include/public/io/ring.h): the peer's
    /// event index lies among the indices that were just published.
    @inlinable
    init(from old: RingIndex, to new: RingIndex, event: RingIndex) {
        self = new.distance(from: event) < new.distance(from: old) ? .required : .notNeeded
    }
}
