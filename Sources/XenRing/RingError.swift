/// What a peer did to a ring that no honest peer does. A ring that has thrown stays broken: it
/// throws the same again, and its connection can only be closed.
@frozen
public struct RingError: Error, Hashable, Sendable {
    /// What kind of failure this is. New codes may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// The peer's producer index offers more messages or bytes than there can be.
        public static let impossibleIndex = Code(description: "impossible index")
    }

    /// Which of the ring's two directions is broken.
    public let direction: RingDirection

    /// Whose index it is that cannot be: the peer is this direction's producer or its consumer.
    public let peer: RingRole

    /// The producer index; if it is the peer's, as it was read.
    public let producer: RingIndex

    /// The consumer index; if it is the peer's, as it was read.
    public let consumer: RingIndex

    /// The most that could have lain between them at that moment.
    public let limit: UInt32

    @inlinable
    init(
        _ direction: RingDirection, peer: RingRole, producer: RingIndex, consumer: RingIndex,
        limit: UInt32
    ) {
        self.direction = direction
        self.peer = peer
        self.producer = producer
        self.consumer = consumer
        self.limit = limit
    }

    public var code: Code { .impossibleIndex }

    /// What happened to what, and what to do.
    public var message: String {
        """
        the peer's \(direction) \(peer) index is wrong: producer \(producer.rawValue), consumer \
        \(consumer.rawValue), \(producer.distance(from: consumer)) between them where at most \
        \(limit) can be; close the connection
        """
    }
}

extension RingError: CustomStringConvertible {
    public var description: String { "\(message) (\(code))" }
}

/// Which way messages or bytes go on a ring.
@frozen
public enum RingDirection: String, Hashable, Sendable, CustomStringConvertible {
    /// From the front to the back, or from the client to the server.
    case request
    /// From the back to the front, or from the server to the client.
    case response

    public var description: String { rawValue }
}

/// What one side is to one direction of a ring.
@frozen
public enum RingRole: String, Hashable, Sendable, CustomStringConvertible {
    case producer
    case consumer

    public var description: String { rawValue }
}
