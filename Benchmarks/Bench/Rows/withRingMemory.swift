import XenCore

/// Page-aligned memory for one run, freed at its end.
func withRingMemory<Result>(
    byteCount: Int = Page.byteCount, _ body: (SharedMemory) throws -> Result
) rethrows -> Result {
    let base = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: Page.byteCount)
    defer { unsafe base.deallocate() }
    // Safe: the view is not used after `body`.
    return try body(unsafe SharedMemory(base: base, byteCount: byteCount))
}
