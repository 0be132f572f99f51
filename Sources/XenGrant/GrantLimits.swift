/// What one `GrantTable` may hold at a time: bounds of our own, below those of the kernel and the hypervisor.
///
///     var limits = GrantLimits()
///     limits.perPeer.shared = 512
///     let grants = try GrantTable.open(limits: limits)
///
/// What would go beyond a limit is refused with `.limitReached` before the kernel is asked. Pages in quarantine
/// count as shared. Letting go is never refused, so the quarantine has no limit of its own; its limit says how
/// many pages a peer (or all of them) may keep from us before nothing more is shared with it.
public struct GrantLimits: Hashable, Sendable {
    /// For all peers together.
    public var total: GrantPageCounts
    /// For each peer.
    public var perPeer: GrantPageCounts

    public init(total: GrantPageCounts = .unlimited, perPeer: GrantPageCounts = .unlimited) {
        self.total = total
        self.perPeer = perPeer
    }
}
