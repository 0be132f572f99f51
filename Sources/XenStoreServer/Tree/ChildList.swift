/// The names below a node, oldest first, in pieces: a change copies one piece and the list of pieces, whatever
/// snapshots still hold the old ones.
struct ChildList: Sendable {
    /// A child's place and path.
    struct Entry: Sendable {
        let serial: UInt64
        let key: PathKey
        private let nameIndex: Int

        init(serial: UInt64, key: PathKey) {
            self.serial = serial
            self.key = key
            nameIndex = key.nameIndex
        }

        /// The bytes of the name and its NUL in a list.
        var listedByteCount: Int { key.count - nameIndex + 1 }

        func appendName(to list: inout [UInt8]) { key.appendName(from: nameIndex, to: &list) }

        /// Puts the name and its NUL into memory. Returns how many bytes that are.
        ///
        /// Safe: copied within the call, and only where there is room.
        @unsafe
        func copyName(to memory: UnsafeMutableBufferPointer<UInt8>, at offset: Int) -> Int {
            unsafe key.copyName(from: nameIndex, to: memory, at: offset)
        }
    }

    /// Some neighbours.
    private final class Chunk: Sendable {
        let entries: [Entry]
        /// Their names with a NUL after each.
        let byteCount: Int

        init(_ entries: [Entry], byteCount: Int) {
            self.entries = entries
            self.byteCount = byteCount
        }
    }

    private static let chunkLimit = 128

    private var chunks: [Chunk] = []
    private(set) var count = 0
    /// The bytes of the whole list, a NUL after each name.
    private(set) var byteCount = 0

    init() {}

    /// A list of one.
    init(_ entry: Entry) { append(entry) }

    /// Adds the newest child.
    mutating func append(_ entry: Entry) {
        let added = entry.listedByteCount
        if let last = chunks.last, last.entries.count < Self.chunkLimit {
            var entries = last.entries
            entries.append(entry)
            chunks[chunks.count - 1] = Chunk(entries, byteCount: last.byteCount + added)
        } else {
            chunks.append(Chunk([entry], byteCount: added))
        }
        count += 1
        byteCount += added
    }

    /// Takes a child out; nothing happens when it is not there.
    mutating func remove(serial: UInt64) {
        let index = chunks.partitionPoint { ($0.entries.last?.serial ?? 0) >= serial }
        guard index < chunks.count else { return }
        let chunk = chunks[index]
        let position = chunk.entries.partitionPoint { $0.serial >= serial }
        guard position < chunk.entries.count, chunk.entries[position].serial == serial else {
            return
        }
        let removed = chunk.entries[position].listedByteCount
        var entries = chunk.entries
        entries.remove(at: position)
        if entries.isEmpty {
            chunks.remove(at: index)
        } else {
            chunks[index] = Chunk(entries, byteCount: chunk.byteCount - removed)
            mergeWithNext(index)
        }
        count -= 1
        byteCount -= removed
    }

    /// Keeps pieces from staying small when most of a list has gone.
    private mutating func mergeWithNext(_ index: Int) {
        guard index + 1 < chunks.count else { return }
        let (chunk, next) = (chunks[index], chunks[index + 1])
        guard chunk.entries.count + next.entries.count <= Self.chunkLimit / 2 else { return }
        chunks[index] = Chunk(
            chunk.entries + next.entries, byteCount: chunk.byteCount + next.byteCount)
        chunks.remove(at: index + 1)
    }

    /// Whether a child with this place is listed under this path.
    func contains(_ entry: Entry) -> Bool {
        let index = chunks.partitionPoint { ($0.entries.last?.serial ?? 0) >= entry.serial }
        guard index < chunks.count else { return false }
        let entries = chunks[index].entries
        let position = entries.partitionPoint { $0.serial >= entry.serial }
        return position < entries.count && entries[position].serial == entry.serial
            && entries[position].key == entry.key
    }

    /// Calls for each child in order.
    func forEach(_ body: (Entry) -> Void) {
        for chunk in chunks { for entry in chunk.entries { body(entry) } }
    }

    /// The whole list as it travels.
    var payload: [UInt8] {
        // Safe: names are copied within what was asked for.
        unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { memory, filled in
            for chunk in chunks {
                let entries = chunk.entries
                // A span lends its entries, where an array would count a reference to each.
                let lent = entries.span
                for index in lent.indices {
                    filled += unsafe lent[index].copyName(to: memory, at: filled)
                }
            }
        }
    }

    /// Appends the names that begin at or after `offset` bytes into the list, as many as fit in `room`.
    ///
    /// Returns whether these are the last. Pieces before the offset are passed over whole.
    func appendPart(from offset: Int, room: Int, to bytes: inout [UInt8]) -> Bool {
        var position = 0
        var room = room
        for chunk in chunks {
            if position + chunk.byteCount <= offset {
                position += chunk.byteCount
                continue
            }
            for entry in chunk.entries {
                let length = entry.listedByteCount
                defer { position += length }
                guard position >= offset else { continue }
                guard length <= room else { return false }
                entry.appendName(to: &bytes)
                room -= length
            }
        }
        return true
    }
}
