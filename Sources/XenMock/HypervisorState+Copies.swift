import XenCore
import XenGrant
import XenSystem

extension HypervisorState {
    /// What gntdev does: EINVAL for all if one leaves its page; then each by itself, with Xen's status.
    mutating func copy(
        _ segments: [GrantCopySegment], by process: ProcessID
    ) throws(GrantError) -> [GrantCopyStatus] {
        let owner = try grantUser(process)
        guard segments.allSatisfy(\.isWithinPages) else {
            throw GrantError(
                .refused, errorNumber: .invalid, "one of \(segments.count) copies leaves its page")
        }
        return try segments.map { (segment) throws(GrantError) in
            do throws(SystemFailure) {
                return segment.byteCount == 0 ? .done : try copy(segment, for: owner.domain)
            } catch {
                throw GrantError(
                    .refused, errorNumber: error.errorNumber,
                    "memory of ours cannot be read or written: \(error.call)")
            }
        }
    }

    private func copy(
        _ segment: GrantCopySegment, for domain: DomainID
    ) throws(SystemFailure) -> GrantCopyStatus {
        switch segment {
        case .read(let location, let memory):
            let source = place(location, for: domain, .readOnly)
            guard let (file, offset) = source.place else { return source.status }
            try file.read(at: offset, into: memory)
        case .write(let memory, let location):
            let target = place(location, for: domain, .readWrite)
            guard let (file, offset) = target.place else { return target.status }
            try file.write(memory, at: offset)
        case .relay(let from, let to, let byteCount):
            let source = place(from, for: domain, .readOnly)
            let target = place(to, for: domain, .readWrite)
            guard let (sourceFile, sourceOffset) = source.place else { return source.status }
            guard let (targetFile, targetOffset) = target.place else { return target.status }
            try sourceFile.copy(
                byteCount, at: sourceOffset, to: targetFile, at: targetOffset)
        }
        return .done
    }

    /// Where a granted byte is, or why it may not be touched (`acquire_grant_for_copy`,
    /// xen/common/grant_table.c).
    private func place(
        _ location: GrantLocation, for domain: DomainID, _ access: GrantAccess
    ) -> (place: (file: DomainMemory, offset: Int)?, status: GrantCopyStatus) {
        let page = location.page
        guard let granter = domains[page.domain] else { return (nil, .badDomain) }
        guard page.reference < granter.endOfGrantTable else { return (nil, .badReference) }
        guard let grant = granter.grants[page.reference], let memory = granter.memory,
            grant.peer == domain, access == .readOnly || grant.access == .readWrite
        else { return (nil, .failed) }
        return ((memory, grant.frame * Page.byteCount + location.offset), .done)
    }
}

extension DomainState {
    /// Xen's tables grow by a page of 512 entries of version 1.
    fileprivate var endOfGrantTable: GrantReference {
        let entryCount: UInt32 = 512
        let pageCount = (max(firstUnusedReference, 1) - 1) / entryCount + 1
        return GrantReference(pageCount * entryCount)
    }
}
