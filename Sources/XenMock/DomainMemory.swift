import CSystem
import XenCore
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The pages that a domain can grant: a file in memory, cut into frames.
final class DomainMemory: Sendable {
    private let file: OwnedDescriptor

    var descriptor: Int32 { file.rawValue }

    init(of domain: DomainID) throws(SystemFailure) {
        let raw = unsafe csystem_memfd("xen-mock-\(domain.rawValue)")
        guard raw >= 0 else { throw SystemFailure("memfd_create") }
        file = OwnedDescriptor(adopting: raw)
    }

    func resize(frameCount: Int) throws(SystemFailure) {
        guard ftruncate(descriptor, frameCount * Page.byteCount) == 0 else {
            throw SystemFailure("ftruncate")
        }
    }

    /// Copies bytes out. The kernel writes them, so that memory which may not be written is an
    /// EFAULT here as it is with gntdev, and not a crash.
    func read(at offset: Int, into memory: SharedMemory) throws(SystemFailure) {
        // Safe: the kernel checks the addresses, and writes within the view.
        let count = unsafe pread(descriptor, memory.baseAddress, memory.byteCount, offset)
        guard count >= 0 else { throw SystemFailure("pread") }
        guard count == memory.byteCount else { throw SystemFailure("pread", .badAddress) }
    }

    /// Copies bytes in. Memory that may not be read is an EFAULT.
    func write(_ memory: SharedMemory, at offset: Int) throws(SystemFailure) {
        // Safe: the kernel checks the addresses, and reads within the view.
        let count = unsafe pwrite(descriptor, memory.baseAddress, memory.byteCount, offset)
        guard count >= 0 else { throw SystemFailure("pwrite") }
        guard count == memory.byteCount else { throw SystemFailure("pwrite", .badAddress) }
    }

    /// Copies bytes from this memory to another domain's, or to other bytes of this one.
    func copy(
        _ byteCount: Int, at offset: Int, to other: DomainMemory, at otherOffset: Int
    ) throws(SystemFailure) {
        let bounce = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 1)
        defer { unsafe bounce.deallocate() }
        guard let base = bounce.baseAddress else { return }
        // Safe: `bounce` has that many bytes, and outlives the view.
        let view = unsafe SharedMemory(base: base, byteCount: byteCount)
        try read(at: offset, into: view)
        try other.write(view, at: otherOffset)
    }
}
