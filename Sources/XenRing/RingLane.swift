/// One direction of a ring, as both ends access it: a producer index, an event index, and slots.
///
/// Every access to shared memory goes through here, one call each, so that tests can put a model in
/// place of the page and explore every interleaving of the very code that ships.
/// Each ordering names its partner: what the peer does on the other side.
@usableFromInline
package protocol RingLane<Message> {
    associatedtype Message

    /// Which way the messages go.
    var direction: RingDirection { get }

    /// The peer's producer index. Acquire: its partner is the peer's `publishProducer`, so that the
    /// messages before the index are seen whole. After `armEvent` it also makes the final look.
    func observeProducer() -> RingIndex

    /// Lets the peer see our messages up to `index`. Release, then a full fence: the release's partner is the
    /// peer's `observeProducer`; the fence's partner is the one in the peer's `armEvent`.
    func publishProducer(_ index: RingIndex)

    /// The index at which the peer wants to be notified. Ordered after our `publishProducer` by its fence.
    func observeEvent() -> RingIndex

    /// Asks the peer to notify us at `index`. A full fence, before the final look at the producer index: its
    /// partner is the fence in the peer's `publishProducer`. With both, either the peer sees this event
    /// index and notifies, or our final look sees its messages.
    func armEvent(_ index: RingIndex)

    /// Copies a message out, once, into private memory.
    func load(at index: RingIndex) -> Message

    /// Copies a message into its slot. The peer does not look before `publishProducer`.
    func store(_ message: Message, at index: RingIndex)
}
