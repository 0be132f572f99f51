extension ByteRing {
    /// The reading end of a byte ring. Bytes are copied out of it exactly once, straight to where they are wanted,
    /// and their room is given back at once for all of a message:
    ///
    ///     while try reader.available() > 0 {                     // 0: sleep until notified
    ///         try reader.take(appendingTo: &bytes)
    ///     }
    ///     if try reader.commit() == .required { try channel.notify() }
    ///
    /// Sleep only after `available` gave 0, or fewer bytes came than were asked for, and after the notification
    /// that `commit` asks for. No span or pointer into the ring is handed out: the peer can write there at any moment.
    ///
    /// Each call throws `.impossibleIndex`, and all do from then on, when the writer claims to have written more
    /// than the ring holds, or its index went back.
    @frozen
    public struct Reader: ~Copyable, Sendable {
        @usableFromInline let ring: ByteRing
        @usableFromInline var consumer: ByteConsumer

        /// Goes on where the reader's index in the page stands.
        public init(_ ring: ByteRing) {
            self.ring = ring
            consumer = ByteConsumer(at: ring.observeConsumer())
        }

        /// The bytes that are known to be there to take; looks for more if they are fewer than `count`.
        ///
        /// Fewer only after the final check: the room of all that was taken has been given back, a last look found
        /// no more, and the writer will notify us of the next byte, as long as it knows that we wait for enough.
        ///
        /// - Parameter count: in bytes; at most what the ring holds.
        @inlinable
        public mutating func available(atLeast count: Int = 1) throws(RingError) -> Int {
            try consumer.available(atLeast: count, on: ring)
        }

        /// Moves bytes to the end of `output` until it is full or there are no more.
        ///
        /// - Returns: how many. Fewer than fit only after the final check.
        @inlinable
        @discardableResult
        public mutating func take(
            appendingTo output: inout OutputSpan<UInt8>
        ) throws(RingError) -> Int {
            // Safe: `take` writes the first `count` free bytes, and no others.
            try unsafe output.withUnsafeMutableBufferPointer { buffer, used throws(RingError) in
                let free = unsafe UnsafeMutableBufferPointer(rebasing: buffer[used...])
                let count = try unsafe consumer.take(
                    into: UnsafeMutableRawBufferPointer(free), on: ring)
                used += count
                return count
            }
        }

        /// Moves bytes to the end of `bytes` until there are no more.
        ///
        /// - Parameter limit: the most to take, in bytes. Nil for what one look finds.
        /// - Returns: how many. Fewer than the limit only after the final check.
        @inlinable
        @discardableResult
        public mutating func take(
            appendingTo bytes: inout [UInt8], upTo limit: Int? = nil
        ) throws(RingError) -> Int {
            let waiting = try available()
            let count = min(limit ?? waiting, ring.byteCount)
            guard waiting > 0, count > 0 else { return 0 }
            let start = bytes.count
            try bytes.append(addingCapacity: count) { output throws(RingError) in
                try take(appendingTo: &output)
            }
            return bytes.count - start
        }

        /// Gives the room of all that was taken back to the writer, and says whether to notify it.
        @inlinable
        public mutating func commit() throws(RingError) -> PeerNotification {
            try consumer.commit(on: ring)
        }

        /// Takes and commits.
        @inlinable
        public mutating func read(
            appendingTo bytes: inout [UInt8], upTo limit: Int? = nil
        ) throws(RingError) -> Transfer {
            let count = try take(appendingTo: &bytes, upTo: limit)
            return Transfer(byteCount: count, notification: try commit())
        }
    }
}
