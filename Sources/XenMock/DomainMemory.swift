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
}
