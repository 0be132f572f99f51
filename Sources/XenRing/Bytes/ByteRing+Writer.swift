extension ByteRing {
    /// The writing end of a byte ring: one message of many pieces, one index store, one notification.
    ///
    ///     for piece in message { _ = try writer.stage(piece.span) }
    ///     if try writer.publish() == .required { try channel.notify() }
    ///
    /// A message that is larger than the room goes in parts. Sleep only after fewer bytes were staged than asked for,
    /// and after the notification that `publish` asks for:
    ///
    ///     var rest = message.span
    ///     while true {
    ///         rest = rest.extracting(droppingFirst: try writer.stage(rest))
    ///         if try writer.publish() == .required { try channel.notify() }
    ///         if rest.isEmpty { break }
    ///         try sleepUntilNotified()
    ///     }
    ///
    /// Each call throws `.impossibleIndex`, and all do from then on, when the reader claims to have read what was
    /// never published, or its index went back.
    @frozen
    public struct Writer: ~Copyable, Sendable {
        @usableFromInline let ring: ByteRing
        @usableFromInline var producer: ByteProducer

        /// Goes on where the writer's index in the page stands.
        public init(_ ring: ByteRing) {
            self.ring = ring
            producer = ByteProducer(at: ring.observeProducer(), capacity: ring.capacity)
        }

        /// The bytes that are known to fit; looks for more room if they are fewer than `count`. Fewer only after the
        /// final check: all that is staged is published, and the reader will notify us of the next room.
        ///
        /// - Parameter count: in bytes; at most what the ring holds.
        @inlinable
        public mutating func room(atLeast count: Int = 1) throws(RingError) -> Int {
            try producer.room(atLeast: count, on: ring)
        }

        /// Copies as many of the bytes as fit into the ring, from the first on. The reader sees them after the next
        /// `publish`, or earlier if the ring gets full.
        ///
        /// - Returns: how many. Fewer than all only after the final check: everything staged is published, no
        ///   room is left, and the reader will notify us when there is some; call `publish` before you sleep.
        @inlinable
        public mutating func stage(_ bytes: Span<UInt8>) throws(RingError) -> Int {
            // Safe: the bytes are copied within the call.
            try unsafe bytes.withUnsafeBytes { source throws(RingError) in
                try unsafe producer.stage(source, on: ring)
            }
        }

        /// Lets the reader see all staged bytes, and says whether to notify it.
        @inlinable
        public mutating func publish() throws(RingError) -> PeerNotification {
            try producer.publish(on: ring)
        }

        /// Stages and publishes.
        @inlinable
        public mutating func write(_ bytes: Span<UInt8>) throws(RingError) -> Transfer {
            let count = try stage(bytes)
            return Transfer(byteCount: count, notification: try publish())
        }
    }
}
