#if LibXen
    import CXen
    import XenCore
    import XenSystem

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// An open /dev/xen/gntdev.
    @safe
    final class LibXenMapper: @unchecked Sendable {
        // Safe: set once, and the device may be used from any thread.
        let library: UnsafePointer<cxen_grants>
        let handle: OpaquePointer

        init(_ library: UnsafePointer<cxen_grants>) throws(GrantError) {
            unsafe self.library = library
            guard let handle = unsafe library.pointee.map_open(cxen_quiet_logger(), 0) else {
                throw GrantError(device: "/dev/xen/gntdev", module: "xen-gntdev", .current)
            }
            unsafe self.handle = handle
        }

        deinit { _ = unsafe library.pointee.map_close(handle) }

        /// Tries once, by the device itself: libxengnttab tries again for ever when it hears EAGAIN.
        func map(
            _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?
        ) throws(GrantError) -> SharedMemory {
            guard let count = UInt32(exactly: pages.count) else {
                throw GrantError(.limitReached, "\(pages.count) pages cannot be mapped at once")
            }
            let domains = pages.map { UInt32($0.domain.rawValue) }
            let references = pages.map(\.reference.rawValue)
            // Safe: both lists have the count given, and are only read.
            let address = unsafe library.pointee.map(
                handle, count, domains, references, access == .readWrite ? 1 : 0)
            guard let address = unsafe address else { throw GrantError(mapping: pages, .current) }
            // Safe: that many pages are mapped there until `unmap`.
            let memory = unsafe SharedMemory(
                base: address, byteCount: pages.count * Page.byteCount)
            if let notification { try set(notification, on: memory) }
            return memory
        }

        private func set(
            _ notification: UnmapNotification, on memory: SharedMemory
        ) throws(GrantError) {
            // Safe: the address only names a mapping to the kernel.
            let status = unsafe library.pointee.notify_unmap(
                handle, memory.baseAddress, .init(notification))
            guard status != 0 else { return }
            let failure = ErrorNumber.current
            try? unmap(memory)
            throw GrantError(notification, failure)
        }

        func unmap(_ memory: SharedMemory) throws(GrantError) {
            // Safe: these pages were mapped by `map`, and their owner is done with them.
            let status = unsafe library.pointee.unmap(
                handle, memory.baseAddress, UInt32(memory.byteCount / Page.byteCount))
            guard status == 0 else {
                throw GrantError(.refused, errorNumber: .current, "the pages cannot be unmapped")
            }
        }
    }

    extension GrantError {
        /// Linux says EINVAL whatever is wrong with a reference.
        fileprivate init(mapping pages: [GrantedPage], _ failure: ErrorNumber) {
            let code: Code =
                switch failure {
                case .invalid: .badReference
                case .noMemory, .noSpace, .listTooLong: .limitReached
                case .again: .again
                default: .refused
                }
            self.init(code, errorNumber: failure, "\(pages.inWords) cannot be mapped")
        }
    }
#endif
