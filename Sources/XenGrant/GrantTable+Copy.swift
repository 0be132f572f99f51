public import XenCore

extension GrantTable {
    /// The most segments that one call to the back end takes. `copy` makes as many calls as it needs.
    static let copySegmentLimit = 256

    /// Lets the hypervisor copy to and from pages that peers have granted to us, without mapping them.
    ///
    ///     let header = GrantLocation(reference, of: peer, offset: 64)
    ///     let target = unsafe share.memory.slice(offset: 0, byteCount: 512)
    ///     let statuses = try grants.copy(
    ///         [.read(header, into: target)], until: .after(.seconds(1)))
    ///     guard statuses.failedIndices.isEmpty else { ... }
    ///
    /// Every segment is tried, whatever becomes of the others. One that did not succeed may have
    /// changed a part of its destination. Segments that the hypervisor asks to try again are tried
    /// until the deadline, on this thread; Linux's gntdev does so itself first, for up to 33 s.
    ///
    /// Throws when no segment's status is known: `.refused` when memory of ours cannot be read or
    /// written, `.limitReached` when the kernel has no memory. Unlimited in count.
    /// The corresponding Xen operation is `GNTTABOP_copy` (xen/include/public/grant_table.h), on
    /// Linux `IOCTL_GNTDEV_GRANT_COPY` (include/uapi/xen/gntdev.h).
    ///
    /// - Returns: one status a segment, in their order. Look at all of them: a peer decides on each.
    public func copy(
        _ segments: [GrantCopySegment], until deadline: Deadline
    ) throws(GrantError) -> [GrantCopyStatus] {
        var statuses = segments.map { $0.isWithinPages ? GrantCopyStatus.again : .outsidePage }
        var backOff = BackOff()
        repeat {
            try copyWhatWaits(segments, &statuses)
        } while statuses.contains(.again) && backOff.wait(until: deadline)
        return statuses
    }

    private func copyWhatWaits(
        _ segments: [GrantCopySegment], _ statuses: inout [GrantCopyStatus]
    ) throws(GrantError) {
        let waiting = statuses.indices.filter { statuses[$0] == .again }
        for start in stride(from: 0, to: waiting.count, by: Self.copySegmentLimit) {
            let batch = waiting[start...].prefix(Self.copySegmentLimit)
            let outcomes = try backend.copy(batch.map { segments[$0] })
            precondition(outcomes.count == batch.count, "a back end gives one status a segment")
            for (index, outcome) in zip(batch, outcomes) { statuses[index] = outcome }
        }
    }
}
