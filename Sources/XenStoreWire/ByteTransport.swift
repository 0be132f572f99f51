public import XenCore

/// A byte stream to the other side of the store's protocol: a socket, a device, a ring.
///
/// Reading and writing take what is possible now; `wait` is the only call that blocks for long, and `wake`
/// ends it from any thread. One thread reads at a time, and one writes.
public protocol ByteTransport: Sendable {
    /// The most bytes that one packet's payload may have on this way.
    var payloadByteCountLimit: Int { get }

    /// Whether the kernel's own store client is behind this, as behind `/dev/xen/xenbus`. Then each `write` must be one
    /// whole packet, and none follows another before that one's reply: Linux sends a request's payload from the one
    /// buffer of the open file, into which the next write goes (drivers/xen/xenbus/xenbus_dev_frontend.c, xenbus_xs.c).
    var isKernelDevice: Bool { get }

    /// Reads what there is into `buffer` from its start, at most its count.
    ///
    /// Returns 0 at the end of the stream and nil when there is nothing now. Throws `.disconnected`.
    func read(into buffer: inout [UInt8]) throws(StoreError) -> Int?

    /// Reads as above, but blocks until there is something, for a client that has one thread. Nil when the deadline has
    /// passed, and maybe earlier.
    func read(into buffer: inout [UInt8], until deadline: Deadline) throws(StoreError) -> Int?

    /// Writes what fits now of `bytes` from `offset`. Returns how many bytes went, 0 when none did.
    ///
    /// Throws `.disconnected`.
    func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int

    /// Blocks until there is something to read (or to take, when `forWriting`), the deadline has passed or `wake` was called.
    func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError)

    /// Ends the current `wait`, or the next one when there is none.
    func wake()

    /// Tells the other side that nothing more comes, and ends the current `wait` and every later one at once.
    func close()
}

extension ByteTransport {
    public func read(
        into buffer: inout [UInt8], until deadline: Deadline
    ) throws(StoreError) -> Int? {
        if let count = try read(into: &buffer) { return count }
        try wait(forWriting: false, until: deadline)
        return try read(into: &buffer)
    }
}
