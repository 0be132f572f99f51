/// How many pages: those there are, or at most may be.
public struct GrantPageCounts: Hashable, Sendable {
    /// Granted to peers and not revoked yet, those in quarantine included.
    public var shared: Int
    /// Mapped from peers.
    public var mapped: Int
    /// In quarantine: we have let go of them, but they cannot be revoked yet.
    public var quarantined: Int

    public init(shared: Int, mapped: Int, quarantined: Int) {
        self.shared = shared
        self.mapped = mapped
        self.quarantined = quarantined
    }

    public static let none = GrantPageCounts(shared: 0, mapped: 0, quarantined: 0)

    /// As a limit: whatever the kernel and the hypervisor allow.
    public static let unlimited = GrantPageCounts(shared: .max, mapped: .max, quarantined: .max)
}

extension GrantPageCounts: CustomStringConvertible {
    /// 'shared 3 pages (1 in quarantine), mapped 1 page'.
    public var description: String {
        func pages(_ count: Int) -> String { count == 1 ? "1 page" : "\(count) pages" }
        let kept = quarantined == 0 ? "" : " (\(quarantined) in quarantine)"
        var parts: [String] = []
        if shared > 0 { parts.append("shared \(pages(shared))\(kept)") }
        if mapped > 0 { parts.append("mapped \(pages(mapped))") }
        return parts.isEmpty ? "shared and mapped nothing" : parts.joined(separator: ", ")
    }
}
