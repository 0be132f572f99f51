/// Bytes that wait until the other side takes them. Inlinable, since the server looks here several times a request.
package struct OutgoingBytes: Sendable {
    @usableFromInline var buffer: [UInt8] = []
    @usableFromInline var start = 0

    package init() {}

    @inlinable
    package var count: Int { buffer.count - start }
    @inlinable
    package var isEmpty: Bool { count == 0 }

    /// The memory that this keeps, in bytes.
    package var byteCapacity: Int { buffer.capacity }

    package mutating func append(_ bytes: [UInt8]) { buffer.append(contentsOf: bytes) }

    /// Appends a packet as it travels.
    package mutating func append(_ packet: Packet) { packet.append(to: &buffer) }

    /// Offers the bytes to `write`, which returns how many it took, until it takes none or none are left.
    @inlinable
    package mutating func drain<Failure: Error>(
        _ write: (_ bytes: [UInt8], _ offset: Int) throws(Failure) -> Int
    ) throws(Failure) {
        while start < buffer.count {
            let taken = try write(buffer, start)
            guard taken > 0 else { break }
            start += taken
        }
        if start == buffer.count {
            removeAll()
        } else if start >= count {
            // Each byte is moved once at most for each byte that was taken.
            buffer.removeSubrange(..<start)
            start = 0
        }
    }

    /// Drops what waits, and all memory but a little.
    @inlinable
    package mutating func removeAll() {
        buffer.removeAll(keepingCapacity: buffer.capacity <= Self.keptCapacity)
        start = 0
    }

    /// In bytes: what a round of small replies takes.
    @usableFromInline static var keptCapacity: Int { 4096 }
}
