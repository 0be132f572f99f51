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

        init() throws(GrantError) {
            unsafe library = try loadGrantLibrary()
            guard let handle = unsafe library.pointee.map_open(cxen_quiet_logger(), 0) else {
                throw GrantError(device: "/dev/xen/gntdev", module: "xen-gntdev", .current)
            }
            unsafe self.handle = handle
        }

        deinit { _ = unsafe library.pointee.map_close(handle) }

        func map(
            _ references: [GrantReference], of domain: DomainID, access: GrantAccess,
            notification: UnmapNotification?
        ) throws(GrantError) -> SharedMemory {
            var numbers = references.map(\.rawValue)
            let protection = access == .readWrite ? PROT_READ | PROT_WRITE : PROT_READ
            // Safe: the library reads `numbers` within the count given, and keeps nothing.
            let address = unsafe library.pointee.map(
                handle, UInt32(numbers.count), UInt32(domain.rawValue), &numbers, protection)
            guard let address = unsafe address else {
                throw GrantError(mapping: references, of: domain, .current)
            }
            // Safe: that many pages are mapped there until `unmap`.
            let memory = unsafe SharedMemory(
                base: address, byteCount: references.count * Page.byteCount)
            if let notification { try set(notification, on: memory) }
            return memory
        }

        private func set(
            _ notification: UnmapNotification, on memory: SharedMemory
        ) throws(GrantError) {
            // Safe: the address only names a mapping to the kernel.
            let status = unsafe cxen_set_map_notification(
                library.pointee.map_fd(handle), memory.baseAddress, .init(notification))
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
        fileprivate init(
            mapping references: [GrantReference], of domain: DomainID, _ failure: ErrorNumber
        ) {
            let code: Code =
                switch failure {
                case .invalid: .badReference
                case .noMemory, .noSpace: .limitReached
                case .again: .again
                default: .refused
                }
            self.init(
                code, errorNumber: failure,
                "grants \(references.map(\.rawValue)) of \(domain) cannot be mapped")
        }
    }
#endif
