/// One direction of bytes, as both ends access it: a producer index, a consumer index, and bytes.
///
/// Every access to shared memory goes through here, one call each, so that tests can put a model in
/// place of the page and explore every interleaving of the very code that ships.
/// Each ordering names its partner: what the peer does on the other side.
@usableFromInline
package protocol ByteLane {
    /// Which way the bytes go.
    var direction: RingDirection { get }

    /// The bytes that the ring holds: a power of two.
    var capacity: UInt32 { get }

    /// What the peer may wait for.
    var peerWaits: ByteRing.PeerWaits { get }

    /// The writer's index. Acquire: its partner is the writer's `publishProducer`, so that the bytes before
    /// the index are seen whole. After `publishConsumer` it also makes the final look.
    func observeProducer() -> RingIndex

    /// The reader's index. Acquire: its partner is the reader's `publishConsumer`, so that no byte is
    /// overwritten before it was read. After `publishProducer` it also makes the final look.
    func observeConsumer() -> RingIndex

    /// Lets the reader see our bytes up to `index`. Release, then a full fence: the release's partner is the
    /// reader's `observeProducer`; the fence's partner is the one in the reader's `publishConsumer`. With
    /// both, either the reader's next look sees these bytes, or our next look sees that it had read all others.
    func publishProducer(_ index: RingIndex)

    /// Gives the room up to `index` back to the writer. Release, then a full fence: the release's partner is
    /// the writer's `observeConsumer`; the fence's partner is the one in the writer's `publishProducer`.
    func publishConsumer(_ index: RingIndex)

    /// Copies bytes out, once, around the end of the ring if need be.
    func load(to destination: UnsafeMutableRawBufferPointer, at index: RingIndex)

    /// Copies bytes in, around the end of the ring if need be. The reader does not look before `publishProducer`.
    func store(_ source: UnsafeRawBufferPointer, at index: RingIndex)

    /// With what the back has ended this direction; 0 as long as it goes on. Acquire: its partner is the
    /// back's `publishError`, so that a look at the producer index after it sees every byte.
    func observeError() -> Int32

    /// Ends this direction. Release, then a full fence: the release's partner is the peer's `observeError`.
    func publishError(_ error: Int32)
}
