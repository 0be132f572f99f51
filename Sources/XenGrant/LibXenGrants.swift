#if LibXen
    import CXen
    import Synchronization
    public import XenCore

    extension GrantTable {
        /// Over real Xen. Throws `.unavailable`, saying what is missing, on a machine without it.
        ///
        /// - Parameters: as of `init`.
        public static func open(
            limits: GrantLimits = GrantLimits(),
            onQuarantine: (@Sendable (QuarantineEvent) -> Void)? = nil
        ) throws(GrantError) -> GrantTable {
            GrantTable(try LibXenGrants(), limits: limits, onQuarantine: onQuarantine)
        }
    }

    /// Real Xen's grants, through libxengnttab, /dev/xen/gntdev and /dev/xen/gntalloc.
    ///
    /// Not for use in the child of a fork.
    public final class LibXenGrants: GrantBackend {
        private let mapper: Result<LibXenMapper, GrantError>
        private let sharer: Result<LibXenSharer, GrantError>
        private let live = Mutex(Live())

        /// Opens the devices. Throws `.unavailable` when there is neither.
        ///
        /// A kernel may lack one of the two, and a program may need only the other: that failure
        /// is thrown by the first call that needs it.
        public convenience init() throws(GrantError) {
            try unsafe self.init(library: loadGrantLibrary())
        }

        /// Over these functions, which stay for good: libxengnttab's, or a test's.
        init(library: UnsafePointer<cxen_grants>) throws(GrantError) {
            mapper = Result { () throws(GrantError) in try unsafe LibXenMapper(library) }
            sharer = Result { () throws(GrantError) in try unsafe LibXenSharer(library) }
            if case .failure(let failure) = mapper, case .failure = sharer { throw failure }
        }

        public func share(
            pageCount: Int, with domain: DomainID, access: GrantAccess,
            notification: UnmapNotification?
        ) throws(GrantError) -> RawShare {
            let (references, memory) = try sharer.get().share(
                pageCount: pageCount, with: domain, access: access, notification: notification)
            let id = live.withLock { $0.begin(\.shares) }
            return RawShare(id: id, references: references, memory: memory)
        }

        /// Never throws `.inUse`: the kernel keeps pages that the peer still maps away from everyone.
        public func unshare(_ share: RawShare) throws(GrantError) {
            guard live.withLock({ $0.end(share.id, \.shares) }) else {
                throw GrantError(.notFound, "this handle has no such share (any more)")
            }
            do throws(GrantError) {
                try sharer.get().unshare(share.memory)
            } catch {
                live.withLock { $0.keep(share.id, \.shares) }
                throw error
            }
        }

        public func map(
            _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?
        ) throws(GrantError) -> RawMapping {
            let memory = try mapper.get().map(pages, access: access, notification: notification)
            return RawMapping(id: live.withLock { $0.begin(\.mappings) }, memory: memory)
        }

        public func unmap(_ mapping: RawMapping) throws(GrantError) {
            guard live.withLock({ $0.end(mapping.id, \.mappings) }) else {
                throw GrantError(.notFound, "this handle has no such mapping (any more)")
            }
            try mapper.get().unmap(mapping.memory)
        }

        public func copy(
            _ segments: [GrantCopySegment]
        ) throws(GrantError) -> [GrantCopyStatus] {
            try mapper.get().copy(segments)
        }

        /// The tokens that are in use. The kernel knows addresses only, and could not tell a second
        /// unmapping from the unmapping of what has come to the same addresses since.
        private struct Live {
            var mappings: Set<UInt64> = []
            var shares: Set<UInt64> = []
            private var lastID: UInt64 = 0

            mutating func begin(_ kind: WritableKeyPath<Live, Set<UInt64>>) -> UInt64 {
                lastID += 1
                self[keyPath: kind].insert(lastID)
                return lastID
            }

            mutating func end(_ id: UInt64, _ kind: WritableKeyPath<Live, Set<UInt64>>) -> Bool {
                self[keyPath: kind].remove(id) != nil
            }

            /// What could not be ended is still there.
            mutating func keep(_ id: UInt64, _ kind: WritableKeyPath<Live, Set<UInt64>>) {
                self[keyPath: kind].insert(id)
            }
        }
    }
#endif
