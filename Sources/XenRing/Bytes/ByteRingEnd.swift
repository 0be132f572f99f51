public import XenCore

/// One side of two byte rings: the one that it writes, and the one that it reads.
@frozen
public struct ByteRingEnd: ~Copyable, Sendable {
    public var writer: ByteRing.Writer
    public var reader: ByteRing.Reader

    init(writing: ByteRing, reading: ByteRing) {
        writer = ByteRing.Writer(writing)
        reader = ByteRing.Reader(reading)
    }

    /// The client's end of a xenstore page: it writes requests and reads responses.
    ///
    /// - Parameter page: stays mapped for as long as the end is used.
    public static func xenstoreClient(_ page: SharedMemory) -> ByteRingEnd {
        ByteRingEnd(
            writing: .xenstore(.request, in: page), reading: .xenstore(.response, in: page))
    }

    /// The server's end of a xenstore page: it reads requests and writes responses.
    public static func xenstoreServer(_ page: SharedMemory) -> ByteRingEnd {
        ByteRingEnd(
            writing: .xenstore(.response, in: page), reading: .xenstore(.request, in: page))
    }
}
