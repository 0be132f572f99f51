/// A view of memory that another domain may read or write at any moment. It owns nothing.
///
/// Two rules hold for such memory. A value leaves it exactly once, into private memory, and is
/// validated there; and nobody gets a span or a pointer into it, only copies.
/// An offset or count outside the view is the caller's bug and traps; no byte in the memory does.
@safe
@frozen
public struct SharedMemory: @unchecked Sendable {
    @usableFromInline let base: UnsafeMutableRawPointer

    /// The bytes in the view.
    public let byteCount: Int

    /// - Parameters:
    ///   - base: the first byte. The memory must stay mapped for as long as this view and its copies are used.
    ///   - byteCount: the bytes in the view.
    @unsafe
    @inlinable
    public init(base: UnsafeMutableRawPointer, byteCount: Int) {
        precondition(byteCount >= 0, "a view cannot have a negative size")
        unsafe self.base = base
        self.byteCount = byteCount
    }

    /// The first byte, for ring accessors that do their own checks.
    @unsafe
    @inlinable
    public var baseAddress: UnsafeMutableRawPointer { unsafe base }

    /// A part of this view.
    @inlinable
    public func slice(offset: Int, byteCount: Int) -> SharedMemory {
        check(offset, byteCount)
        // Safe: the part lies within this view, whose memory its maker vouches for.
        return unsafe SharedMemory(base: base + offset, byteCount: byteCount)
    }

    /// Copies bytes out, once, into private memory.
    @inlinable
    public func copyBytes(at offset: Int, to destination: UnsafeMutableRawBufferPointer) {
        check(offset, destination.count)
        // Safe: both ranges were checked, and private memory never overlaps shared memory.
        unsafe destination.copyMemory(
            from: UnsafeRawBufferPointer(start: base + offset, count: destination.count))
    }

    /// Copies bytes out, once, into a new array.
    public func bytes(at offset: Int, count: Int) -> [UInt8] {
        check(offset, count)
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            // Safe: the array's storage is private and holds `count` bytes.
            unsafe copyBytes(
                at: offset,
                to: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
            initialized = count
        }
    }

    /// Copies private bytes in.
    @inlinable
    public func store(_ source: UnsafeRawBufferPointer, at offset: Int) {
        check(offset, source.count)
        // Safe: both ranges were checked, and private memory never overlaps shared memory.
        unsafe UnsafeMutableRawBufferPointer(start: base + offset, count: source.count)
            .copyMemory(from: source)
    }

    /// Copies private bytes in.
    public func store(_ source: [UInt8], at offset: Int) {
        unsafe source.withUnsafeBytes { bytes in unsafe store(bytes, at: offset) }
    }

    /// Fills the view with zeros, as memory must be before it is granted (XSA-403).
    public func zero() {
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    @inlinable
    func check(_ offset: Int, _ count: Int) {
        precondition(
            offset >= 0 && count >= 0 && offset <= byteCount && count <= byteCount - offset,
            "outside the shared memory")
    }
}
