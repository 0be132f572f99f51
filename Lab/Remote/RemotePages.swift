import Synchronization
import XenCore
import XenGrant
import XenSystem
import XenTesting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The memory of a party elsewhere. Here each piece of it is a range of addresses at which nothing is mapped: an
/// access that does not go through this traps, rather than find other bytes.
final class RemotePages: PageAccess {
    private let caller: PartyCaller
    private let handle: UInt32
    /// By their first address.
    private let ranges = Mutex<[UInt: RemoteRange]>([:])

    init(_ caller: PartyCaller, _ handle: UInt32) {
        self.caller = caller
        self.handle = handle
    }

    /// Addresses for memory that the other end calls `name`.
    func reserve(_ name: UInt64, byteCount: Int) throws(GrantError) -> SharedMemory {
        // Safe: new addresses, chosen by the kernel.
        let base = unsafe mmap(nil, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let base = unsafe base, unsafe base != MAP_FAILED else {
            throw GrantError(.limitReached, errorNumber: .current, "no addresses are left")
        }
        let range = RemoteRange(memory: name, offset: 0, byteCount: byteCount)
        ranges.withLock { $0[UInt(bitPattern: base)] = range }
        // Safe: the addresses are this view's until `release`; a use of them faults.
        return unsafe SharedMemory(base: base, byteCount: byteCount)
    }

    /// Gives the addresses back. Does nothing if that was done.
    func release(_ memory: SharedMemory) {
        let start = unsafe UInt(bitPattern: memory.baseAddress)
        guard ranges.withLock({ $0.removeValue(forKey: start) }) != nil else { return }
        // Safe: `reserve` made them, and nobody has their name any more.
        _ = unsafe munmap(memory.baseAddress, memory.byteCount)
    }

    /// What a view, or a part of one, means at the other end.
    func range(of memory: SharedMemory) throws(GrantError) -> RemoteRange {
        let start = unsafe UInt(bitPattern: memory.baseAddress)
        let found = ranges.withLock { ranges in
            ranges.first { start >= $0.key && start - $0.key < UInt($0.value.byteCount) }
        }
        guard let (base, range) = found else {
            throw GrantError(.refused, "the memory is not the party's")
        }
        return RemoteRange(
            memory: range.memory, offset: Int(start - base), byteCount: memory.byteCount)
    }

    private func range(
        of memory: SharedMemory, _ offset: Int, _ count: Int
    ) throws(GrantError) -> RemoteRange {
        try range(of: memory.slice(offset: offset, byteCount: count))
    }

    func bytes(of memory: SharedMemory, at offset: Int, count: Int) throws -> [UInt8] {
        let range = try range(of: memory, offset, count)
        return try caller.onGrants(.load, handle, wire(range), returning: [UInt8].self)
    }

    func store(_ bytes: [UInt8], in memory: SharedMemory, at offset: Int) throws {
        let range = try range(of: memory, offset, bytes.count)
        try caller.onGrants(.store, handle, wire(range, bytes))
    }

    func isWritable(_ memory: SharedMemory) throws -> Bool {
        try caller.onGrants(.isWritable, handle, wire(range(of: memory)), returning: Bool.self)
    }

    func allocate(byteCount: Int) throws -> SharedMemory {
        let name = try caller.onGrants(
            .allocate, handle, wire(byteCount), returning: UInt64.self)
        return try reserve(name, byteCount: byteCount)
    }

    func free(_ memory: SharedMemory) throws {
        try caller.onGrants(.free, handle, wire(range(of: memory).memory))
        release(memory)
    }
}
