public import XenCore
import XenGrant
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How a check gets at a party's memory: its shares, its mappings, and memory that is its alone.
///
/// A party elsewhere hands out views that nobody may touch; here each is the name of what is meant.
public protocol PageAccess: Sendable {
    /// Copies bytes out of the party's memory, once.
    func bytes(of memory: SharedMemory, at offset: Int, count: Int) throws -> [UInt8]

    /// Copies bytes into the party's memory.
    func store(_ bytes: [UInt8], in memory: SharedMemory, at offset: Int) throws

    /// Whether the first byte may be written. If so, it is zero afterwards.
    func isWritable(_ memory: SharedMemory) throws -> Bool

    /// Zeroed memory of the party's process alone, for the local side of grant copies.
    func allocate(byteCount: Int) throws -> SharedMemory

    /// Gives back what `allocate` returned.
    func free(_ memory: SharedMemory) throws
}

/// The memory of a party in this process.
public struct LocalPages: PageAccess {
    public init() {}

    public func bytes(of memory: SharedMemory, at offset: Int, count: Int) -> [UInt8] {
        memory.bytes(at: offset, count: count)
    }

    public func store(_ bytes: [UInt8], in memory: SharedMemory, at offset: Int) {
        memory.store(bytes, at: offset)
    }

    /// Throws when the kernel fails in another way than by refusing the write.
    ///
    /// The kernel is asked to write the byte: where that is forbidden it answers EFAULT, and nothing crashes.
    public func isWritable(_ memory: SharedMemory) throws -> Bool {
        let zeros = try OwnedDescriptor(opening: "/dev/zero", flags: O_RDONLY)
        // Safe: one byte, within these pages; whether it may be written is the question.
        if unsafe read(zeros.rawValue, memory.baseAddress, 1) == 1 { return true }
        let failure = SystemFailure("read(/dev/zero)")
        guard failure.errorNumber == .badAddress else { throw failure }
        return false
    }

    public func allocate(byteCount: Int) -> SharedMemory {
        let buffer = UnsafeMutableRawPointer.allocate(
            byteCount: byteCount, alignment: Page.byteCount)
        // Safe: the bytes are there until `free`.
        let memory = unsafe SharedMemory(base: buffer, byteCount: byteCount)
        memory.zero()
        return memory
    }

    public func free(_ memory: SharedMemory) {
        // Safe: `allocate` made it, and its user is done with it.
        unsafe memory.baseAddress.deallocate()
    }
}

// What checks write.
extension ConformanceParty {
    func bytes(at offset: Int, count: Int, of memory: SharedMemory) throws -> [UInt8] {
        try pages.bytes(of: memory, at: offset, count: count)
    }

    func bytes<Owner: SharedPages & ~Copyable>(
        at offset: Int, count: Int, of owner: borrowing Owner
    ) throws -> [UInt8] {
        // Safe: the pages are there for as long as their owner, who is borrowed here.
        try bytes(at: offset, count: count, of: unsafe owner.memory)
    }

    func allBytes(of memory: SharedMemory) throws -> [UInt8] {
        try bytes(at: 0, count: memory.byteCount, of: memory)
    }

    func store(_ bytes: [UInt8], at offset: Int, of memory: SharedMemory) throws {
        try pages.store(bytes, in: memory, at: offset)
    }

    func store<Owner: SharedPages & ~Copyable>(
        _ bytes: [UInt8], at offset: Int, of owner: borrowing Owner
    ) throws {
        // Safe: as above.
        try store(bytes, at: offset, of: unsafe owner.memory)
    }

    func zero(_ memory: SharedMemory) throws {
        try store([UInt8](repeating: 0, count: memory.byteCount), at: 0, of: memory)
    }

    /// Whether the first byte may be written. If so, it is zero afterwards.
    func isWritable<Owner: SharedPages & ~Copyable>(_ owner: borrowing Owner) throws -> Bool {
        // Safe: as above.
        try pages.isWritable(unsafe owner.memory)
    }

    /// Zeroed memory of the party's alone, for the local side of grant copies.
    func withPrivateMemory(byteCount: Int, _ body: (SharedMemory) throws -> Void) throws {
        let memory = try pages.allocate(byteCount: byteCount)
        defer { try? pages.free(memory) }
        try body(memory)
    }
}
