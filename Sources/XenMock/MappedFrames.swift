import XenCore
import XenGrant
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A page of a domain's memory.
struct Frame: Sendable {
    let number: Int
    let memory: DomainMemory

    /// Whether this is the next page of the same memory.
    func follows(_ other: Frame) -> Bool {
        memory === other.memory && number == other.number + 1
    }
}

/// Frames at addresses of their own, one after another. Unmapped when it goes.
final class MappedFrames: Sendable {
    let memory: SharedMemory
    let access: GrantAccess

    /// - Parameter access: a write through a read-only view faults, as it does on Xen.
    init(_ frames: [Frame], access: GrantAccess) throws(SystemFailure) {
        self.access = access
        let byteCount = frames.count * Page.byteCount
        // Safe: new addresses, chosen by the kernel.
        let base = unsafe mmap(nil, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let base = unsafe base, unsafe base != MAP_FAILED else { throw SystemFailure("mmap") }
        // Safe: the view ends with this object, whose owner tells the user when.
        memory = unsafe SharedMemory(base: base, byteCount: byteCount)

        let protection = access == .readWrite ? PROT_READ | PROT_WRITE : PROT_READ
        var start = 0
        while start < frames.count {
            var end = start + 1
            while end < frames.count, frames[end].follows(frames[end - 1]) { end += 1 }
            // Safe: replaces pages of the addresses reserved above. On failure they go in deinit.
            let mapped = unsafe mmap(
                base + start * Page.byteCount, (end - start) * Page.byteCount, protection,
                MAP_SHARED | MAP_FIXED, frames[start].memory.descriptor,
                frames[start].number * Page.byteCount)
            guard unsafe mapped != MAP_FAILED else { throw SystemFailure("mmap") }
            start = end
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
