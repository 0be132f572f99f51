package import XenCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The first page of a file or device, mapped for reading and writing, seen by all who map it. Unmapped when it goes.
@safe
package final class MappedPage: Sendable {
    /// The page, for as long as this object is there.
    package let memory: SharedMemory

    package init(of path: String) throws(SystemFailure) {
        let file = try OwnedDescriptor(opening: path, flags: O_RDWR)
        let address = unsafe mmap(
            nil, Page.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file.rawValue, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw SystemFailure("mmap(\(path))")
        }
        // Safe: the whole page was just mapped, and stays so until deinit.
        memory = unsafe SharedMemory(base: address, byteCount: Page.byteCount)
    }

    deinit { _ = unsafe munmap(memory.baseAddress, memory.byteCount) }
}
