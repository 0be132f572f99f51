import XenCore
import XenGrant
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Frames of a domain's memory at addresses of their own, one after another. Unmapped when it goes.
final class MappedFrames: Sendable {
    let memory: SharedMemory

    /// - Parameter access: a write through a read-only view faults, as it does on Xen.
    init(_ frames: [Int], of source: DomainMemory, access: GrantAccess) throws(SystemFailure) {
        let byteCount = frames.count * Page.byteCount
        // Safe: new addresses, chosen by the kernel.
        let base = unsafe mmap(nil, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let base = unsafe base, unsafe base != MAP_FAILED else { throw SystemFailure("mmap") }
        // Safe: the view ends with this object, whose owner tells the user when.
        memory = unsafe SharedMemory(base: base, byteCount: byteCount)

        let protection = access == .readWrite ? PROT_READ | PROT_WRITE : PROT_READ
        for (page, frame) in frames.enumerated() {
            // Safe: replaces one page of the addresses reserved above. On failure they go in deinit.
            let mapped = unsafe mmap(
                base + page * Page.byteCount, Page.byteCount, protection, MAP_SHARED | MAP_FIXED,
                source.descriptor, frame * Page.byteCount)
            guard unsafe mapped != MAP_FAILED else { throw SystemFailure("mmap") }
        }
    }

    /// Cuts the addresses off from the frames: from now on they are private memory, all zeros.
    func detach() {
        // Safe: replaces this object's own pages in one step, so that no access can fault meanwhile.
        _ = unsafe mmap(
            memory.baseAddress, memory.byteCount, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
    }

    deinit {
        // Safe: these addresses are this object's alone.
        _ = unsafe munmap(memory.baseAddress, memory.byteCount)
    }
}
