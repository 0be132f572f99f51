#if LibXen
    import CXen
    import XenCore
    import XenSystem

    extension LibXenMapper {
        func copy(_ segments: [GrantCopySegment]) throws(GrantError) -> [GrantCopyStatus] {
            var entries = unsafe segments.map { unsafe xengnttab_grant_copy_segment_t($0) }
            // Safe: the library reads and writes `entries` within the count given, and keeps nothing;
            // the kernel checks all addresses in them.
            let status = unsafe library.pointee.copy(handle, UInt32(entries.count), &entries)
            guard status == 0 else { throw GrantError(copying: segments.count, .current) }
            return unsafe entries.map { unsafe GrantCopyStatus(rawValue: $0.status) }
        }
    }

    extension xengnttab_grant_copy_segment_t {
        /// Numbers that are too great for their field become its greatest value, which the kernel refuses.
        fileprivate init(_ segment: GrantCopySegment) {
            unsafe self.init()
            unsafe len = UInt16(exactly: segment.byteCount) ?? .max
            // Until the kernel says otherwise, the segment has failed.
            unsafe status = GrantCopyStatus.failed.rawValue
            switch segment {
            case .read(let location, let memory):
                unsafe source = .init(location)
                unsafe dest.virt = memory.baseAddress
                unsafe flags = UInt16(GNTCOPY_source_gref)
            case .write(let memory, let location):
                unsafe source.virt = memory.baseAddress
                unsafe dest = .init(location)
                unsafe flags = UInt16(GNTCOPY_dest_gref)
            case .relay(let from, let to, _):
                unsafe source = .init(from)
                unsafe dest = .init(to)
                unsafe flags = UInt16(GNTCOPY_source_gref | GNTCOPY_dest_gref)
            }
        }
    }

    extension xengnttab_copy_ptr {
        fileprivate init(_ location: GrantLocation) {
            unsafe self.init()
            unsafe foreign.ref = location.page.reference.rawValue
            unsafe foreign.domid = location.page.domain.rawValue
            unsafe foreign.offset = UInt16(exactly: location.offset) ?? .max
        }
    }

    extension GrantError {
        fileprivate init(copying count: Int, _ failure: ErrorNumber) {
            let (code, why): (Code, String) =
                switch failure {
                case .badAddress: (.refused, "memory of ours cannot be read or written")
                case .invalid: (.refused, "a segment leaves its page")
                case .noMemory: (.limitReached, "no memory in the kernel")
                default: (.refused, "refused by the kernel")
                }
            self.init(code, errorNumber: failure, "a copy of \(count) segments: \(why)")
        }
    }
#endif
