public import XenCore

extension ByteRing {
    /// The writing end of one direction.
    public struct Writer: ~Copyable, Sendable {
        private let lane: ByteLane
        private var written: RingIndex
        private var fault: RingError?

        /// Goes on where the writer's index in the page stands.
        ///
        /// - Parameter page: the xenstore's page, which stays mapped for as long as this is used.
        public init(_ direction: RingDirection, in page: SharedMemory) {
            lane = ByteLane(direction, in: page)
            written = lane.observeProducer()
        }

        /// The bytes that `write` would take now.
        ///
        /// Throws `.impossibleIndex` when the reader claims to have read what was never written.
        public mutating func room() throws(RingError) -> Int {
            if let fault { throw fault }
            do {
                let unread = try RingIndex.offered(
                    from: lane.observeConsumer(), to: written, limit: UInt32(ByteRing.byteCount),
                    lane.direction, peer: .consumer)
                return ByteRing.byteCount - Int(unread)
            } catch {
                fault = error
                throw error
            }
        }

        /// Writes as many of the bytes as fit, from the first on. Does not block.
        ///
        /// Throws as `room()` does.
        public mutating func write(_ bytes: Span<UInt8>) throws(RingError) -> Transfer {
            let count = min(bytes.count, try room())
            guard count > 0 else { return Transfer(byteCount: 0) }
            // Safe: the span outlives the call, and the bytes are copied in it.
            unsafe bytes.extracting(first: count).withUnsafeBytes { source in
                unsafe lane.store(source, at: written)
            }
            written = written.advanced(by: UInt32(count))
            lane.publishProducer(written)
            return Transfer(byteCount: count)
        }
    }
}
