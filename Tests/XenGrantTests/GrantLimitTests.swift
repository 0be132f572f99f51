import MockStage
import Synchronization
import Testing
import XenCore
import XenGrant
import XenMock

/// A table's own limits: up to the last page and not one more, before the kernel is asked, and by name.
@Suite struct GrantLimitTests: OnMockStage {
    let stage = MockStage()
    let backend: CountingBackend

    init() {
        backend = CountingBackend(stage.front.grants)
    }

    /// What sets a limit, and what the refusal says.
    private func refusal(
        _ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let count = backend.callCount
        let error = try #require(
            throws: GrantError.self, sourceLocation: sourceLocation, performing: body)
        #expect(error.code == .limitReached, sourceLocation: sourceLocation)
        #expect(error.errorNumber == nil, "the kernel was asked", sourceLocation: sourceLocation)
        #expect(backend.callCount == count, sourceLocation: sourceLocation)
        return error.message
    }

    @Test func sharedPagesOfAllPeers() throws {
        var limits = GrantLimits()
        limits.total.shared = 4
        let grants = GrantTable(backend, limits: limits)
        let share = try grants.share(pageCount: 3, with: .dom0)
        #expect(
            try refusal { try grants.share(pageCount: 2, with: DomainID(5)).close() }
                == "this table's limit of 4 shared pages for all peers: 3 are shared, no room for 2 more"
        )
        let last = try grants.share(pageCount: 1, with: DomainID(5))
        _ = try refusal { try grants.share(pageCount: 1, with: DomainID(5)).close() }
        try share.close()
        try grants.share(pageCount: 3, with: DomainID(6)).close()
        try last.close()
        #expect(grants.accounts.total == .none)
    }

    @Test func sharedPagesOfOnePeer() throws {
        var limits = GrantLimits()
        limits.perPeer.shared = 2
        let grants = GrantTable(backend, limits: limits)
        let share = try grants.share(pageCount: 2, with: .dom0)
        #expect(
            try refusal { try grants.share(pageCount: 1, with: .dom0).close() }
                == "this table's limit of 2 shared pages for domain 0: 2 are shared, no room for 1 more"
        )
        try grants.share(pageCount: 2, with: DomainID(5)).close()
        try share.close()
        try grants.share(pageCount: 2, with: .dom0).close()
        _ = try refusal { try grants.share(pageCount: .max, with: .dom0).close() }
    }

    @Test func mappedPagesOfAllPeersAndOfOne() throws {
        let theirs = try GrantTable(back.grants).share(pageCount: 3, with: DomainID(3))
        let own = try GrantTable(front.grants).share(pageCount: 2, with: DomainID(3))
        let pages =
            theirs.references.granted(by: .dom0) + own.references.granted(by: DomainID(3))
        var limits = GrantLimits()
        limits.total.mapped = 4
        limits.perPeer.mapped = 2
        let grants = GrantTable(backend, limits: limits)
        #expect(
            try refusal { try grants.map(pages).close() }
                == "this table's limit of 4 mapped pages for all peers: 0 are mapped, no room for 5 more"
        )
        #expect(
            try refusal { try grants.map(Array(pages[..<4])).close() }
                == "this table's limit of 2 mapped pages for domain 0: 0 are mapped, no room for 3 more"
        )
        let most = try grants.map(Array(pages[1...]))
        #expect(grants.accounts.total.mapped == 4)
        _ = try refusal { try grants.map([pages[0]]).close() }
        try most.close()
        try grants.map([pages[0]]).close()
        try own.close()
        try theirs.close()
    }

    /// The quarantine takes what it must; beyond its limit nothing more is shared until it has room again.
    @Test(arguments: [true, false])
    func quarantinedPages(ofOnePeer: Bool) throws {
        var limits = GrantLimits()
        if ofOnePeer { limits.perPeer.quarantined = 1 } else { limits.total.quarantined = 1 }
        let grants = GrantTable(backend, limits: limits)
        var mappings: [Kept] = []
        for _ in 0..<2 {
            let share = try grants.share(pageCount: 1, with: .dom0)
            mappings.append(
                Kept(try GrantTable(back.grants).map(share.references, of: DomainID(3))))
        }
        #expect(grants.quarantinedPageCount == 2)
        let error = try #require(throws: GrantError.self) {
            try grants.share(pageCount: 1, with: .dom0).close()
        }
        #expect(error.code == .limitReached)
        let who = ofOnePeer ? "domain 0" : "all peers"
        #expect(
            error.message
                == "this table's limit of 1 quarantined pages for \(who): 2 cannot be revoked, "
                + "and nothing more is shared until they are")
        if ofOnePeer { try grants.share(pageCount: 1, with: DomainID(5)).close() }
        mappings.removeLast()
        try grants.share(pageCount: 1, with: .dom0).close()
        mappings = []
        #expect(grants.sweepQuarantine() == 0)
        try hypervisor.assertCleanedUp()
    }

    /// Pages in quarantine are still granted: they count, and are looked at again before a refusal.
    @Test func quarantinedPagesCountAsShared() throws {
        var limits = GrantLimits()
        limits.total.shared = 2
        let grants = GrantTable(backend, limits: limits)
        let share = try grants.share(pageCount: 2, with: .dom0)
        let mapping = try GrantTable(back.grants).map(share.references, of: DomainID(3))
        _ = consume share
        #expect(throws: GrantError.self) { try grants.share(pageCount: 1, with: .dom0).close() }
        try mapping.close()
        try grants.share(pageCount: 2, with: .dom0).close()
        try hypervisor.assertCleanedUp()
    }

    /// Threads that share and map together never get beyond a limit, and the books are empty afterwards.
    @Test func threadsTogetherKeepTheLimits() async throws {
        var limits = GrantLimits()
        limits.perPeer.shared = 5
        limits.total.mapped = 3
        let grants = GrantTable(backend, limits: limits)
        let theirs = try GrantTable(back.grants).share(pageCount: 1, with: DomainID(3))
        let page = GrantedPage(theirs.references[0], of: .dom0)
        let excess = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var excess = 0
                    for _ in 0..<200 {
                        if let share = try? grants.share(pageCount: 2, with: .dom0) {
                            let held = grants.accounts.total
                            if held.shared > 5 || held.mapped > 3 { excess += 1 }
                            try? share.close()
                        }
                        if let mapping = try? grants.map([page, page]) { try? mapping.close() }
                    }
                    return excess
                }
            }
            return await group.reduce(0, +)
        }
        #expect(excess == 0)
        #expect(grants.accounts.total == .none)
        try theirs.close()
        try hypervisor.assertCleanedUp()
    }

    private final class Kept {
        private let mapping: GrantMapping
        init(_ mapping: consuming GrantMapping) { self.mapping = mapping }
    }
}

/// Counts the calls that reach the kernel for more pages.
final class CountingBackend: GrantBackend {
    private let real: any GrantBackend
    private let calls = Atomic(0)

    var callCount: Int { calls.load(ordering: .relaxed) }

    init(_ real: any GrantBackend) { self.real = real }

    func share(
        pageCount: Int, with domain: DomainID, access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawShare {
        calls.add(1, ordering: .relaxed)
        return try real.share(
            pageCount: pageCount, with: domain, access: access, notification: notification)
    }

    func map(
        _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawMapping {
        calls.add(1, ordering: .relaxed)
        return try real.map(pages, access: access, notification: notification)
    }

    func unshare(_ share: RawShare) throws(GrantError) { try real.unshare(share) }

    func unmap(_ mapping: RawMapping) throws(GrantError) { try real.unmap(mapping) }

    func copy(_ segments: [GrantCopySegment]) throws(GrantError) -> [GrantCopyStatus] {
        try real.copy(segments)
    }
}
