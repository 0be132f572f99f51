public import XenCore

/// Pages that two domains share, in the hands of their owner: `GrantShare` or `GrantMapping`.
///
/// Bytes are copied in and out; the other domain may change them at any moment. An offset or count outside
/// the pages is the caller's bug and traps.
public protocol SharedPages: ~Copyable {
    /// The pages, for a ring or another user that keeps them. The view ends with its owner: what uses it
    /// afterwards touches memory that is no longer there.
    @unsafe var memory: SharedMemory { get }
}

extension SharedPages where Self: ~Copyable {
    /// How many bytes the pages have.
    public var byteCount: Int { unsafe memory.byteCount }

    /// Copies bytes out, once.
    public func bytes(at offset: Int, count: Int) -> [UInt8] {
        // Safe: the pages are there for as long as their owner, who is borrowed here.
        unsafe memory.bytes(at: offset, count: count)
    }

    /// Copies bytes in.
    public func store(_ bytes: [UInt8], at offset: Int) {
        // Safe: as above.
        unsafe memory.store(bytes, at: offset)
    }
}
