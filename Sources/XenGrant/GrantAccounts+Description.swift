import XenCore

extension GrantAccounts: CustomStringConvertible {
    /// The totals, a line for each peer, then a line for each share and each mapping.
    public var description: String {
        var lines = ["\(total)"]
        for (peer, counts) in totalsByPeer.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(peer): \(counts)")
        }
        lines += section("shares:", shares.map(line))
        lines += section("mappings:", mappings.map(line))
        if refusedRevocationCount > 0 {
            lines.append("shares that could not be revoked at once: \(refusedRevocationCount)")
        }
        return lines.joined(separator: "\n")
    }

    private func section(_ title: String, _ lines: [String]) -> [String] {
        lines.isEmpty ? [] : [title] + lines.map { "  " + $0 }
    }

    private func line(_ share: Share) -> String {
        let what = "\(share.references.inWords) with \(share.peer)"
        var text = "\(what), \(share.access), for \(age(share.since))"
        if share.isQuarantined { text += ", in quarantine" }
        if let refusal = share.refusal {
            let attempts =
                refusal.attemptCount == 1 ? "1 attempt" : "\(refusal.attemptCount) attempts"
            text += ", to be revoked for \(age(refusal.since)) (\(attempts)): \(refusal.reason)"
        }
        return text
    }

    private func line(_ mapping: Mapping) -> String {
        "\(mapping.pages.inWords), \(mapping.access), for \(age(mapping.since))"
    }

    private func age(_ since: ContinuousClock.Instant) -> String {
        since.duration(to: moment).inWords
    }
}

extension GrantAccess: CustomStringConvertible {
    public var description: String {
        switch self {
        case .readOnly: "read-only"
        case .readWrite: "read-write"
        }
    }
}
