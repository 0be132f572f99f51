/// How pvcalls' back ends a direction: with `in_error`, which it writes after the last byte, or with `out_error`,
/// after which it reads no more (xen/include/public/io/pvcalls.h). Linux writes negative numbers of errno, and
/// -ENOTCONN at the end of a stream. Other rings end with their connection.

extension ByteRing.Reader {
    /// The front's question: with what the back ended what we read. Nil while it goes on, *and* as long as there
    /// are bytes left to take: whatever was written before the end is read first.
    ///
    /// Ask when `available` gave 0; nil is then a final check like that, too. Always nil for rings without errors.
    /// Throws as `available` does.
    public mutating func ending() throws(RingError) -> Int32? {
        try consumer.ending(on: ring)
    }

    /// The back's word that it reads no more. The front has to be notified.
    ///
    /// - Parameter error: not 0. The ring is one of pvcalls.
    public mutating func end(with error: Int32) throws(RingError) -> PeerNotification {
        precondition(error != 0, "0 says that the ring goes on")
        return try consumer.end(with: error, on: ring)
    }
}

extension ByteRing.Writer {
    /// The front's question: with what the back stopped to read what we write. Nil while it goes on.
    ///
    /// Ask when there is no room. Always nil for rings without errors.
    public func ending() -> Int32? {
        let error = ring.observeError()
        return error == 0 ? nil : error
    }

    /// The back's word that nothing comes after what is staged, which is published first. The front has to be notified.
    ///
    /// - Parameter error: not 0. The ring is one of pvcalls.
    public mutating func end(with error: Int32) throws(RingError) -> PeerNotification {
        precondition(error != 0, "0 says that the ring goes on")
        return try producer.end(with: error, on: ring)
    }
}
