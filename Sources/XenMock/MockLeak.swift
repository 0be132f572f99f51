import Synchronization
public import XenCore
public import XenEvtchn
public import XenGrant

/// Something that is still held when nothing should be.
public struct MockLeak: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Pages granted to a peer.
        case share([GrantReference])
        /// Pages whose process has died while the peer mapped them.
        case quarantinedShare([GrantReference])
        /// Pages of one peer or of several, mapped.
        case mapping([GrantedPage])
        /// A port, bound to a peer or waiting for it.
        case port(EventPort)
        /// A port, bound to a virtual interrupt.
        case virtualInterrupt(EventPort, VirtualInterrupt)
    }

    public let kind: Kind
    /// The domain that holds it.
    public let domain: DomainID
    /// The name of the process that holds it, or held it when it died.
    public let process: String
    /// With whom it is shared, in their order: one, or for a mapping one or more; nobody for a virtual interrupt.
    public let peers: [DomainID]
    /// When it was shared, mapped or opened.
    public let since: ContinuousClock.Instant
}

extension MockLeak: CustomStringConvertible {
    public var description: String {
        let what =
            switch kind {
            case .share(let references): "share of \(references.inWords) with \(peer)"
            case .quarantinedShare(let references):
                "quarantined share of \(references.inWords) with \(peer)"
            case .mapping(let pages): "mapping of \(pages.inWords)"
            case .port(let port): "\(port) for \(peer)"
            case .virtualInterrupt(let port, let interrupt): "\(port) for \(interrupt)"
            }
        return "\(domain), process '\(process)': \(what)"
    }

    private var peer: String { peers.map { "\($0)" }.joined(separator: ", ") }
}

/// What `assertCleanedUp()` throws: every leak, a line each, with its age.
public struct MockLeaks: Error, Hashable, Sendable, CustomStringConvertible {
    public let leaks: [MockLeak]
    /// When these were held.
    public let moment: ContinuousClock.Instant

    public var description: String {
        let lines = leaks.map { "  \($0), for \($0.since.duration(to: moment).inWords)" }
        return (["\(leaks.count) leaked:"] + lines).joined(separator: "\n")
    }
}

extension MockHypervisor {
    /// All that is held by anyone, ordered by domain, then by age.
    public func leaks() -> [MockLeak] { state.withLock { $0.leaks() } }

    /// Throws if anything is held by anyone. For the end of every test.
    public func assertCleanedUp() throws(MockLeaks) {
        let leaks = leaks()
        if !leaks.isEmpty { throw MockLeaks(leaks: leaks, moment: .now) }
    }
}
