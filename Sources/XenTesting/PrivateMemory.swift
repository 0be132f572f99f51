import XenCore

/// Zeroed memory of this process alone, for the local side of grant copies.
func withPrivateMemory(
    byteCount: Int, _ body: (SharedMemory) throws -> Void
) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: byteCount, alignment: Page.byteCount)
    defer { unsafe buffer.deallocate() }
    guard let base = buffer.baseAddress else { return }
    // Safe: the bytes are there until `body` has returned.
    let memory = unsafe SharedMemory(base: base, byteCount: byteCount)
    memory.zero()
    try body(memory)
}

extension SharedMemory {
    var allBytes: [UInt8] { bytes(at: 0, count: byteCount) }
}
