import XenCore

extension DiskImage {
    /// Reads bytes into memory of this process alone: what a copy onto a device takes.
    ///
    /// Throws if they cannot be read, or the file has become shorter.
    public func bytes(at byteOffset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { unsafe buffer.deallocate() }
        guard let base = buffer.baseAddress else { return [] }
        // Safe: that many bytes are there until this function returns.
        let memory = unsafe SharedMemory(base: base, byteCount: count)
        try read(at: byteOffset, into: [memory])
        return memory.bytes(at: 0, count: count)
    }
}
