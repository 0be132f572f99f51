import Synchronization
public import XenCore
import XenGrant
import XenSystem

/// One statement about a ring between two processes, in two halves: the left one makes the ring and offers its pages
/// and ports, the right one attaches. Each half can run in a domain of its own; it needs no test framework.
///
///     for check in RingConformance.checks() {
///         try check.run(.left, as: party, with: peer, meeting: rendezvous)    // and .right in the peer
///     }
public struct RingCheck: Sendable {
    /// Which half.
    public enum Side: String, Sendable, CaseIterable {
        case left, right
    }

    /// What is true of a library and a hypervisor that pass.
    public let name: String

    let left: @Sendable (RingHalf) throws -> Void
    let right: @Sendable (RingHalf) throws -> Void

    init(
        _ name: String, left: @escaping @Sendable (RingHalf) throws -> Void,
        right: @escaping @Sendable (RingHalf) throws -> Void
    ) {
        self.name = name
        self.left = left
        self.right = right
    }

    /// Runs one half, and blocks until both are over. Throws, in either half alike, unless both have passed.
    ///
    /// Throws what was expected and what was found, and `RendezvousSilence` when nothing is heard of the other half:
    /// the processes are out of step then, so no other check can follow. No wait is longer than three times the
    /// party's patience.
    ///
    /// - Parameters:
    ///   - party: whose grants this run has to itself.
    ///   - peer: the other half's domain.
    public func run(
        _ side: Side, as party: ConformanceParty, with peer: DomainID,
        meeting rendezvous: any Rendezvous
    ) throws {
        let half = RingHalf(party, peer: peer, rendezvous: rendezvous)
        try half.conclude(
            Result {
                try half.meet("the other half's begin of '\(name)'", saying: name)
                try side == .left ? left(half) : right(half)
                try expect("what is held at the end", party.grants.accounts.total, is: .none)
                try party.holdings.expectNothing(side.rawValue)
            })
    }

    /// Runs both halves in this process, the left one on a thread of its own. Throws unless both have passed.
    public func run(_ host: ConformanceHost) throws {
        let (here, there) = LocalRendezvous.pair()
        let failure = Mutex<(any Error)?>(nil)
        let thread = try PlatformThread {
            do {
                try run(.left, as: host.left, with: host.right.domain, meeting: there)
            } catch {
                failure.withLock { $0 = error }
            }
        }
        let outcome = Result {
            try run(.right, as: host.right, with: host.left.domain, meeting: here)
        }
        thread.join()
        try outcome.get()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

extension RingCheck: CustomStringConvertible {
    public var description: String { name }
}
