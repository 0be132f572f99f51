/// Bytes that wait in order: appended at one end, taken from the other. Both cost O(1) a byte, amortised.
struct ByteQueue: Sendable {
    /// What waits lies from `start` to `end`; the rest means nothing.
    private var storage: [UInt8] = []
    private var start = 0
    private var end = 0
    /// The memory to keep when nothing waits, in bytes.
    private let keptByteCount: Int

    init(keptByteCount: Int) { self.keptByteCount = keptByteCount }

    var count: Int { end - start }

    /// Shows the bytes, in order.
    func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(storage.span.extracting(start..<end))
    }

    /// The memory that the queue has, in bytes: a few times what waited at once, or what it keeps.
    var byteCapacity: Int { storage.count }

    /// Safe: the bytes are copied within the call.
    @unsafe
    mutating func append(copying bytes: UnsafeRawBufferPointer) {
        guard unsafe !bytes.isEmpty else { return }
        makeRoom(for: bytes.count)
        let place = end..<end + bytes.count
        unsafe storage.withUnsafeMutableBytes { raw in
            // Safe: there is room for them, and the rebasing checks.
            unsafe UnsafeMutableRawBufferPointer(rebasing: raw[place]).copyMemory(from: bytes)
        }
        end = place.upperBound
    }

    /// Takes the first bytes out.
    mutating func removeFirst(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= count, "more than waits")
        start += byteCount
        if start == end { removeAll() }
    }

    mutating func removeAll() {
        if storage.count > keptByteCount { storage = [] }
        start = 0
        end = 0
    }

    /// What waits moves to the front only where no less was taken before it: a byte is moved once for each taken.
    private mutating func makeRoom(for byteCount: Int) {
        guard storage.count - end < byteCount else { return }
        let (from, waiting) = (start, count)
        if from < waiting || storage.count - waiting < byteCount {
            var larger = [UInt8](repeating: 0, count: max(256, 2 * (waiting + byteCount)))
            larger.replaceSubrange(0..<waiting, with: storage[from..<end])
            storage = larger
        } else {
            unsafe storage.withUnsafeMutableBytes { raw in
                // Safe: within the storage, as the rebasing checks; moving allows an overlap.
                unsafe raw.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: raw[from..<from + waiting]))
            }
        }
        (start, end) = (0, waiting)
    }
}
