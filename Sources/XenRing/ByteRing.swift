/// One direction of the xenstore's page: a ring of bytes, to the server or back to the client.
///
/// The corresponding Xen type is `struct xenstore_domain_interface` (xen/include/public/io/xs_wire.h).
/// A client writes requests and reads responses, a server the other way round:
///
///     var requests = ByteRing.Writer(.request, in: page)
///     var responses = ByteRing.Reader(.response, in: page)
///
/// The indices need not start at 0: each end goes on where its own index in the page stands, and keeps it
/// privately from then on. There is no event index, so every transfer that moved bytes asks for a notification.
public enum ByteRing {
    /// The bytes that one direction holds (`XENSTORE_RING_SIZE`).
    public static let byteCount = 1024

    /// What a read or write did.
    public struct Transfer: Hashable, Sendable {
        /// The bytes that moved. Fewer than asked for when the ring is full or empty.
        public let byteCount: Int

        /// Whether the peer has to be notified: it may wait for these bytes, or for the room that they left.
        public var notification: PeerNotification { byteCount > 0 ? .required : .notNeeded }
    }
}
