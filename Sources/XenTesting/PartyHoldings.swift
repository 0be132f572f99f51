import Synchronization
import XenCore
import XenEvtchn
import XenGrant

/// What a party holds, counted beneath its owning handles: what a check forgets is seen, whatever it used.
final class PartyHoldings: Sendable {
    struct Held {
        var shares: Set<UInt64> = []
        var mappings: Set<UInt64> = []
        var ports: Set<EventPort> = []
    }

    let held = Mutex(Held())

    func expectNothing(_ party: String) throws {
        let held = held.withLock(\.self)
        let counts = [held.shares.count, held.mappings.count, held.ports.count]
        try expect(
            "shares, mappings and ports that the \(party) party still holds", counts, is: [0, 0, 0])
    }
}

/// A party's grants, with an eye on what it holds.
final class CountedGrants: GrantBackend {
    private let base: any GrantBackend
    private let holdings: PartyHoldings

    init(_ base: any GrantBackend, _ holdings: PartyHoldings) {
        self.base = base
        self.holdings = holdings
    }

    func share(
        pageCount: Int, with domain: DomainID, access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawShare {
        let share = try base.share(
            pageCount: pageCount, with: domain, access: access, notification: notification)
        holdings.held.withLock { _ = $0.shares.insert(share.id) }
        return share
    }

    func unshare(_ share: RawShare) throws(GrantError) {
        try base.unshare(share)
        holdings.held.withLock { _ = $0.shares.remove(share.id) }
    }

    func map(
        _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawMapping {
        let mapping = try base.map(pages, access: access, notification: notification)
        holdings.held.withLock { _ = $0.mappings.insert(mapping.id) }
        return mapping
    }

    func unmap(_ mapping: RawMapping) throws(GrantError) {
        try base.unmap(mapping)
        holdings.held.withLock { _ = $0.mappings.remove(mapping.id) }
    }

    func copy(_ segments: [GrantCopySegment]) throws(GrantError) -> [GrantCopyStatus] {
        try base.copy(segments)
    }
}

/// A party's event channels, with an eye on what it holds.
final class CountedEventChannels: EventChannelBackend {
    private let base: any EventChannelBackend
    private let holdings: PartyHoldings

    init(_ base: any EventChannelBackend, _ holdings: PartyHoldings) {
        self.base = base
        self.holdings = holdings
    }

    private func counted(_ port: EventPort) -> EventPort {
        holdings.held.withLock { _ = $0.ports.insert(port) }
        return port
    }

    func bindUnbound(for domain: DomainID) throws(EventChannelError) -> EventPort {
        counted(try base.bindUnbound(for: domain))
    }

    func bindInterdomain(
        to remotePort: EventPort, of domain: DomainID
    ) throws(EventChannelError) -> EventPort {
        counted(try base.bindInterdomain(to: remotePort, of: domain))
    }

    func bindVirtualInterrupt(
        _ interrupt: VirtualInterrupt
    ) throws(EventChannelError) -> EventPort {
        counted(try base.bindVirtualInterrupt(interrupt))
    }

    func unbind(_ port: EventPort) throws(EventChannelError) {
        // Before the call: afterwards another thread may have been given the same number.
        let wasHeld = holdings.held.withLock { $0.ports.remove(port) != nil }
        do throws(EventChannelError) {
            try base.unbind(port)
        } catch {
            // A stale one is gone, whatever is done.
            if wasHeld, error.code != .stale { _ = counted(port) }
            throw error
        }
    }

    func notify(_ port: EventPort) throws(EventChannelError) { try base.notify(port) }
    func mask(_ port: EventPort) throws(EventChannelError) { try base.mask(port) }
    func unmask(_ port: EventPort) throws(EventChannelError) { try base.unmask(port) }
    func rearm(_ port: EventPort) throws(EventChannelError) { try base.rearm(port) }

    func nextPending(until deadline: Deadline) throws(EventChannelError) -> EventPort? {
        try base.nextPending(until: deadline)
    }

    func interrupt() { base.interrupt() }

    func restrict(to domain: DomainID) throws(EventChannelError) { try base.restrict(to: domain) }

    var descriptor: Int32 { get throws(EventChannelError) { try base.descriptor } }
    var epoch: Epoch { base.epoch }
    var staleEventCount: Int { base.staleEventCount }

    func successorAfterResume() throws(EventChannelError) -> any EventChannelBackend {
        CountedEventChannels(try base.successorAfterResume(), holdings)
    }
}
