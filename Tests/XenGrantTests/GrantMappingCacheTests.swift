import MockStage
import Testing
import XenCore
import XenGrant
import XenMock

/// Mappings that are kept: bounded, the right ones, and gone on every way out.
@Suite struct GrantMappingCacheTests: OnMockStage {
    let stage = MockStage()
    let backend: CountingBackend
    let grants: GrantTable
    let guest = DomainID(3)

    init() {
        backend = CountingBackend(stage.back.grants)
        grants = GrantTable(backend)
    }

    private func numberedPages(_ count: Int) throws -> GrantShare {
        let share = try GrantTable(front.grants).share(pageCount: count, with: .dom0)
        for page in 0..<count { share.store([UInt8(page)], at: page * Page.byteCount) }
        return share
    }

    @Test func aPageIsMappedOnceAndFoundAgain() throws {
        let share = try numberedPages(4)
        let pages = share.references.granted(by: guest)
        var cache = GrantMappingCache(grants, pageLimit: 4)
        for round in 0..<3 {
            let order = [pages[3], pages[0], pages[2], pages[0]]
            let bytes = try cache.withPages(order) { $0.map { $0.bytes(at: 0, count: 1)[0] } }
            #expect(bytes == [3, 0, 2, 0])
            #expect(backend.callCount == 3, "round \(round)")
        }
        try cache.withPages([pages[1]]) { $0[0].store([9], at: 1) }
        let byte = share.bytes(at: Page.byteCount + 1, count: 1)
        #expect(byte == [9])
        #expect(cache.pageCount == 4)
        #expect(cache.statistics.missCount == 4)
        #expect(cache.statistics.hitCount == 8)
        #expect(cache.statistics.evictionCount == 0)
        try cache.close()
        #expect(grants.accounts.total == .none)
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func theLeastRecentlyUsedPageGoesFirst() throws {
        let share = try numberedPages(5)
        let pages = share.references.granted(by: guest)
        var cache = GrantMappingCache(grants, pageLimit: 3)
        for index in [0, 1, 2, 0, 3] { try cache.withPages([pages[index]]) { _ in } }
        // Page 1 made room for page 3.
        #expect(Set(grants.accounts.mappings.flatMap(\.pages)) == [pages[0], pages[2], pages[3]])
        // A request never makes room at its own expense: page 2, though the oldest, is part of it.
        let bytes = try cache.withPages([pages[4], pages[2]]) {
            $0.map { $0.bytes(at: 0, count: 1)[0] }
        }
        #expect(bytes == [4, 2])
        #expect(Set(grants.accounts.mappings.flatMap(\.pages)) == [pages[2], pages[3], pages[4]])
        #expect(cache.statistics.evictionCount == 2)
        try cache.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func aPeerCannotMakeItGrow() throws {
        let share = try numberedPages(64)
        let pages = share.references.granted(by: guest)
        var cache = GrantMappingCache(grants, pageLimit: 8)
        for start in 0..<56 {
            let part = Array(pages[start..<start + 8])
            let bytes = try cache.withPages(part) { $0.map { $0.bytes(at: 0, count: 1)[0] } }
            #expect(bytes == (start..<start + 8).map { UInt8($0) })
            #expect(grants.accounts.total.mapped == 8)
        }
        let error = #expect(throws: GrantError.self) {
            try cache.withPages(Array(pages[..<9])) { _ in }
        }
        #expect(error?.code == .limitReached)
        // The same page nine times is one page.
        let bytes = try cache.withPages(Array(repeating: pages[0], count: 9)) { $0.count }
        #expect(bytes == 9)
        try cache.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func bothKindsOfAccessAreKeptApart() throws {
        let share = try GrantTable(front.grants).share(
            pageCount: 1, with: .dom0, access: .readOnly)
        let page = GrantedPage(share.references[0], of: guest)
        var cache = GrantMappingCache(grants, pageLimit: 2)
        try cache.withPages([page], access: .readOnly) { _ in }
        let error = #expect(throws: GrantError.self) {
            try cache.withPages([page], access: .readWrite) { _ in }
        }
        #expect(error?.code == .badReference)
        #expect(cache.pageCount == 1)
        try cache.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func aDomainsPagesAreDroppedTogether() throws {
        let share = try numberedPages(2)
        let own = try GrantTable(back.grants).share(pageCount: 1, with: .dom0)
        let pages = share.references.granted(by: guest) + own.references.granted(by: .dom0)
        var cache = GrantMappingCache(grants, pageLimit: 8)
        try cache.withPages(pages) { _ in }
        try cache.drop(guest)
        #expect(grants.accounts.mappings.flatMap(\.pages) == [pages[2]])
        try share.close()
        try cache.withPages([pages[2]]) { _ in }
        #expect(cache.statistics.hitCount == 1)
        try cache.close()
        try own.close()
        try hypervisor.assertCleanedUp()
    }

    /// What the frontend revoked is refused; what was mapped meanwhile is found again.
    @Test func aFailedRequestKeepsWhatItMapped() throws {
        let share = try numberedPages(2)
        let pages = share.references.granted(by: guest)
        let bad = GrantedPage(GrantReference(999), of: guest)
        var cache = GrantMappingCache(grants, pageLimit: 4)
        #expect(throws: GrantError.self) {
            try cache.withPages([pages[0], bad, pages[1]]) { _ in Issue.record("not to be run") }
        }
        #expect(grants.accounts.mappings.map(\.pages) == [[pages[0]]])
        try cache.withPages(pages) { _ in }
        #expect(cache.statistics.hitCount == 1)
        try cache.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func aBodyThatThrowsLosesNothing() throws {
        struct Oops: Error {}
        let share = try numberedPages(1)
        let pages = share.references.granted(by: guest)
        var cache = GrantMappingCache(grants, pageLimit: 4)
        #expect(throws: Oops.self) { try cache.withPages(pages) { _ in throw Oops() } }
        #expect(cache.pageCount == 1)
        _ = consume cache
        #expect(grants.accounts.total == .none)
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func limitsOfTheTableHoldHereToo() throws {
        let share = try numberedPages(3)
        var limits = GrantLimits()
        limits.perPeer.mapped = 2
        let grants = GrantTable(backend, limits: limits)
        var cache = GrantMappingCache(grants, pageLimit: 8)
        let error = #expect(throws: GrantError.self) {
            try cache.withPages(share.references.granted(by: guest)) { _ in }
        }
        #expect(error?.code == .limitReached)
        #expect(cache.pageCount == 2)
        try cache.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }
}
