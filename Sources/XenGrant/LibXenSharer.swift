#if LibXen
    import CXen
    import XenCore
    import XenSystem

    /// An open /dev/xen/gntalloc.
    @safe
    final class LibXenSharer: @unchecked Sendable {
        // Safe: set once, and the device may be used from any thread.
        private let library: UnsafePointer<cxen_grants>
        private let handle: OpaquePointer

        init(_ library: UnsafePointer<cxen_grants>) throws(GrantError) {
            unsafe self.library = library
            guard let handle = unsafe library.pointee.share_open(cxen_quiet_logger(), 0) else {
                throw GrantError(device: "/dev/xen/gntalloc", module: "xen-gntalloc", .current)
            }
            unsafe self.handle = handle
        }

        deinit { _ = unsafe library.pointee.share_close(handle) }

        /// The kernel zeroes the pages.
        func share(
            pageCount: Int, with domain: DomainID, access: GrantAccess,
            notification: UnmapNotification?
        ) throws(GrantError) -> ([GrantReference], SharedMemory) {
            guard let count = Int32(exactly: pageCount) else {
                throw GrantError(.limitReached, "\(pageCount) pages cannot be shared at once")
            }
            var numbers = [UInt32](repeating: 0, count: pageCount)
            let isWritable: Int32 = access == .readWrite ? 1 : 0
            // Safe: both fill `numbers`, which has the count given, and keep nothing.
            let address =
                if let notification {
                    unsafe library.pointee.share_notifying(
                        handle, UInt32(domain.rawValue), UInt32(count), &numbers, isWritable,
                        .init(notification))
                } else {
                    unsafe library.pointee.share(
                        handle, UInt32(domain.rawValue), count, &numbers, isWritable)
                }
            guard let address = unsafe address else {
                throw GrantError(sharing: pageCount, notification, .current)
            }
            // Safe: that many pages are mapped there until `unshare`.
            let memory = unsafe SharedMemory(base: address, byteCount: pageCount * Page.byteCount)
            return (numbers.map { GrantReference($0) }, memory)
        }

        func unshare(_ memory: SharedMemory) throws(GrantError) {
            // Safe: these pages were mapped by `share`, and their owner is done with them.
            let status = unsafe library.pointee.unshare(
                handle, memory.baseAddress, UInt32(memory.byteCount / Page.byteCount))
            guard status == 0 else {
                throw GrantError(.refused, errorNumber: .current, "the pages cannot be let go")
            }
        }
    }

    extension GrantError {
        fileprivate init(
            sharing pageCount: Int, _ notification: UnmapNotification?, _ failure: ErrorNumber
        ) {
            switch failure {
            case .noSpace, .noMemory:
                self.init(
                    .limitReached, errorNumber: failure,
                    "no room to share \(pageCount) pages: raise the limit of xen-gntalloc")
            case .invalid:
                if let notification {
                    self.init(notification, failure)
                } else {
                    fallthrough
                }
            default:
                self.init(.refused, errorNumber: failure, "\(pageCount) pages cannot be shared")
            }
        }
    }
#endif
