public import XenCore

extension ByteRing {
    /// The reading end of one direction.
    public struct Reader: ~Copyable, Sendable {
        private let lane: ByteLane
        private var consumed: RingIndex
        private var fault: RingError?

        /// Goes on where the reader's index in the page stands.
        ///
        /// - Parameter page: the xenstore's page, which stays mapped for as long as this is used.
        public init(_ direction: RingDirection, in page: SharedMemory) {
            lane = ByteLane(direction, in: page)
            consumed = lane.observeConsumer()
        }

        /// The bytes that can be read now.
        ///
        /// Throws `.impossibleIndex` when the writer claims to have written more than the ring holds.
        public mutating func available() throws(RingError) -> Int {
            if let fault { throw fault }
            do {
                let count = try RingIndex.offered(
                    from: consumed, to: lane.observeProducer(), limit: UInt32(ByteRing.byteCount),
                    lane.direction)
                return Int(count)
            } catch {
                fault = error
                throw error
            }
        }

        /// Copies what there is out of the ring, to the end of `bytes`. Does not block.
        ///
        /// Throws as `available()` does.
        ///
        /// - Parameter limit: the most to read, in bytes.
        public mutating func read(
            appendingTo bytes: inout [UInt8], upTo limit: Int = ByteRing.byteCount
        ) throws(RingError) -> Transfer {
            let count = min(limit, try available())
            guard count > 0 else { return Transfer(byteCount: 0) }
            let start = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: count))
            unsafe bytes.withUnsafeMutableBytes { all in
                // Safe: exactly the `count` bytes that were just appended.
                unsafe lane.load(
                    to: UnsafeMutableRawBufferPointer(rebasing: all[start...]), at: consumed)
            }
            consumed = consumed.advanced(by: UInt32(count))
            lane.publishConsumer(consumed)
            return Transfer(byteCount: count)
        }
    }
}
