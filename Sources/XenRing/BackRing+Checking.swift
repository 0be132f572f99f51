extension BackRing {
    /// Whether there are requests to take. False comes only after the final check, as from `next()`.
    /// The corresponding Xen operation is `RING_FINAL_CHECK_FOR_REQUESTS` (xen/include/public/io/ring.h).
    ///
    /// Throws `.impossibleIndex` when the peer claims more requests than the ring has room for.
    public mutating func hasRequests() throws(RingError) -> Bool {
        try requests.isReady(on: page.requests, limit: limit)
    }
}
