/// Bytes that wait until the other side takes them.
package struct OutgoingBytes: Sendable {
    private var buffer: [UInt8] = []
    private var start = 0

    package init() {}

    package var count: Int { buffer.count - start }
    package var isEmpty: Bool { count == 0 }

    package mutating func append(_ bytes: [UInt8]) { buffer.append(contentsOf: bytes) }

    /// Offers the bytes to `write`, which returns how many it took, until it takes none or none are left.
    package mutating func drain<Failure: Error>(
        _ write: (_ bytes: [UInt8], _ offset: Int) throws(Failure) -> Int
    ) throws(Failure) {
        while start < buffer.count {
            let taken = try write(buffer, start)
            guard taken > 0 else { break }
            start += taken
        }
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 16)
            start = 0
        } else if start > 1 << 16 {
            buffer.removeSubrange(..<start)
            start = 0
        }
    }
}
