package import XenCore
import XenEvtchn
import XenGrant
package import XenTesting

/// Another domain, in which a `PartyServer` makes parties for conformance checks.
package final class RemoteDomain: Sendable {
    private let domain: DomainID
    private let caller: PartyCaller

    /// - Parameters:
    ///   - domain: where the other end of the link is.
    ///   - patience: how long an answer may take. The first waits for the other end to come.
    package init(_ domain: DomainID, over link: Link, patience: Duration) throws {
        self.domain = domain
        caller = try PartyCaller(link, patience: patience)
    }

    /// A call takes long under emulation, above all where something else wants the processors.
    private static let roundLimit = 100

    /// Lets `body` use a party whose handles are freshly opened at the other end, and closed afterwards.
    package func withParty<Result>(_ body: (ConformanceParty) throws -> Result) throws -> Result {
        let (grants, events) = try caller.onGrants(
            .open, 0, [], returning: UInt32.self, UInt32.self)
        defer { try? caller.onGrants(.close, grants, wire(events)) }
        let backend = RemoteGrants(caller, grants)
        return try body(
            ConformanceParty(
                domain: domain, grants: backend, events: RemoteEventChannels(caller, events),
                roundLimit: Self.roundLimit, pages: backend.pages))
    }

    /// Starts a process there that maps a page until it is killed.
    package func hold(_ page: PageToHold) throws -> any PageHolder {
        try RemoteHolder(page, caller)
    }

    /// Lets the other end go, and then the link.
    package func close(until deadline: Deadline) throws { try caller.close(until: deadline) }
}
