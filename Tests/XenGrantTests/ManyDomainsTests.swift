import Testing
import XenCore
import XenGrant
import XenMock

/// Mappings of pages of several domains, which have lives of their own.
@Suite struct ManyDomainsTests {
    let hypervisor = MockHypervisor()
    let mapper: MockProcess
    let grants: GrantTable

    init() {
        mapper = hypervisor.domain(.dom0).startProcess(name: "mapper")
        grants = GrantTable(mapper.grants)
    }

    private func granter(_ id: UInt16) -> GrantTable {
        GrantTable(hypervisor.domain(DomainID(id)).startProcess(name: "granter \(id)").grants)
    }

    @Test func theSameReferenceOfFiveDomainsIsFivePages() throws {
        let peers = (1...5).map { granter(UInt16($0)) }
        var shares = try peers.map { try Box($0.share(pageCount: 1, with: .dom0)) }
        for (index, box) in shares.enumerated() { box.share.store([UInt8(index)], at: 0) }
        let pages = shares.enumerated().map { index, box in
            GrantedPage(box.share.references[0], of: DomainID(UInt16(index + 1)))
        }
        #expect(Set(pages.map(\.reference)).count == 1)
        let mapping = try grants.map(pages.reversed())
        let bytes = (0..<5).map { mapping.bytes(at: $0 * Page.byteCount, count: 1)[0] }
        #expect(bytes == [4, 3, 2, 1, 0])
        try mapping.close()
        shares = []
        try hypervisor.assertCleanedUp()
    }

    /// All or none: whichever page is bad, the good ones can be revoked afterwards.
    @Test(arguments: 0..<4)
    func oneBadPageMapsNone(badIndex: Int) throws {
        let first = try granter(1).share(pageCount: 2, with: .dom0)
        let second = try granter(2).share(pageCount: 2, with: .dom0)
        var pages =
            first.references.granted(by: DomainID(1)) + second.references.granted(by: DomainID(2))
        pages[badIndex].domain = DomainID(9)
        let error = try #require(throws: GrantError.self) { try grants.map(pages).close() }
        #expect(error.code == .badReference)
        #expect(error.errorNumber == .invalid)
        try first.close()
        try second.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func aPageMayBeMappedTwiceInOneCall() throws {
        let share = try granter(1).share(pageCount: 1, with: .dom0)
        let page = GrantedPage(share.references[0], of: DomainID(1))
        let mapping = try grants.map([page, page])
        mapping.store([5], at: 0)
        #expect(mapping.bytes(at: Page.byteCount, count: 1) == [5])
        try mapping.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    /// A granter that is destroyed, and one that comes back under its id, do not upset the others' counts.
    @Test func destroyedGranterLeavesTheOthersAlone() throws {
        let doomed = hypervisor.domain(DomainID(1))
        let lost = try GrantTable(doomed.startProcess(name: "doomed").grants)
            .share(pageCount: 1, with: .dom0)
        let kept = try granter(2).share(pageCount: 1, with: .dom0)
        let mapping = try grants.map(
            lost.references.granted(by: DomainID(1)) + kept.references.granted(by: DomainID(2)))
        hypervisor.destroy(doomed)
        let heir = granter(1)
        let successor = try heir.share(pageCount: 1, with: .dom0)
        let reference = successor.references[0]
        #expect(reference == mapping.pages[0].reference)

        mapping.store([7], at: Page.byteCount)
        #expect(kept.bytes(at: 0, count: 1) == [7])
        #expect(successor.bytes(at: 0, count: 1) == [0])
        try mapping.close()
        // Had the unmapping counted for the successor, this mapping would not keep the page.
        let next = try grants.map([GrantedPage(reference, of: DomainID(1))])
        _ = consume successor
        #expect(heir.quarantinedPageCount == 1)
        try next.close()
        #expect(heir.sweepQuarantine() == 0)
        try kept.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func aLeakNamesEachDomain() throws {
        let first = try granter(1).share(pageCount: 2, with: .dom0)
        let second = try granter(2).share(pageCount: 1, with: .dom0)
        let mapping = try grants.map(
            first.references.granted(by: DomainID(1)) + second.references.granted(by: DomainID(2)))
        let leak = try #require(hypervisor.leaks().first)
        #expect(leak.kind == .mapping(mapping.pages))
        #expect(leak.peers == [DomainID(1), DomainID(2)])
        #expect(
            leak.description.hasPrefix(
                "domain 0, process 'mapper': mapping of grants 8, 9 of domain 1, 8 of domain 2"))
        try mapping.close()
        try first.close()
        try second.close()
        try hypervisor.assertCleanedUp()
    }

    private final class Box {
        let share: GrantShare
        init(_ share: consuming GrantShare) { self.share = share }
    }
}
