import Synchronization
public import XenCore

/// Something that is still held when nothing should be.
public struct MockLeak: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Pages granted to `peer`.
        case share([GrantReference])
        /// Pages whose process has died while `peer` mapped them.
        case quarantinedShare([GrantReference])
        /// Pages of `peer`, mapped.
        case mapping([GrantReference])
        /// A port, bound to `peer` or waiting for it.
        case port(EventPort)
    }

    public let kind: Kind
    /// The domain that holds it.
    public let domain: DomainID
    /// The name of the process that holds it, or held it when it died.
    public let process: String
    public let peer: DomainID
}

extension MockLeak: CustomStringConvertible {
    public var description: String {
        let what =
            switch kind {
            case .share(let references): "share of \(list(references)) with"
            case .quarantinedShare(let references): "quarantined share of \(list(references)) with"
            case .mapping(let references): "mapping of \(list(references)) of"
            case .port(let port): "\(port) for"
            }
        return "\(domain), process '\(process)': \(what) \(peer)"
    }

    private func list(_ references: [GrantReference]) -> String {
        "grants \(references.map { "\($0.rawValue)" }.joined(separator: ", "))"
    }
}

/// What `assertCleanedUp()` throws: every leak, a line each.
public struct MockLeaks: Error, Hashable, Sendable, CustomStringConvertible {
    public let leaks: [MockLeak]

    public var description: String {
        (["\(leaks.count) leaked:"] + leaks.map { "  \($0)" }).joined(separator: "\n")
    }
}

extension MockHypervisor {
    /// All that is held by anyone, ordered by domain, then by age.
    public func leaks() -> [MockLeak] { state.withLock { $0.leaks() } }

    /// Throws if anything is held by anyone. For the end of every test.
    public func assertCleanedUp() throws(MockLeaks) {
        let leaks = leaks()
        if !leaks.isEmpty { throw MockLeaks(leaks: leaks) }
    }
}
