import MockStage
import Testing
import XenCore
import XenGrant
import XenMock

/// Xen's security advisories that touch grants, a named test or more each: their mistakes cannot be made here.
@Suite("Advisories on grants") struct GrantAdvisoryTests: OnMockStage {
    let stage = MockStage()

    var frontGrants: GrantTable { GrantTable(front.grants) }
    var backGrants: GrantTable { GrantTable(back.grants) }
}

// One owner for each mapping, nothing freed twice.
extension GrantAdvisoryTests {
    @Test("XSA-218: of many that unmap one mapping at a time, one does")
    func racingUnmappings() async throws {
        let share = try front.grants.share(
            pageCount: 1, with: .dom0, access: .readWrite, notification: nil)
        let page = share.references.granted(by: guest.id)
        let holder = try backGrants.map(page)
        for round in 0..<100 {
            let raw = try back.grants.map(page, access: .readWrite, notification: nil)
            let codes = await withTaskGroup(of: GrantError.Code?.self) { group in
                for _ in 0..<4 {
                    group.addTask { [back] in
                        code { () throws(GrantError) in try back.grants.unmap(raw) }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            try #require(codes.count { $0 == nil } == 1, "round \(round): \(codes)")
            try #require(codes.count { $0 == .notFound } == 3, "round \(round): \(codes)")
        }
        // Had one unmapping counted twice, nobody would keep this page now.
        #expect(code { () throws(GrantError) in try front.grants.unshare(share) } == .inUse)
        try holder.close()
        try front.grants.unshare(share)
        try hypervisor.assertCleanedUp()
    }

    @Test("XSA-230: a page stays in use until the last of its mappings has gone, in any order")
    func everyMappingCounts() throws {
        let kinds: [GrantAccess] = [.readWrite, .readOnly, .readOnly]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let share = try front.grants.share(
                pageCount: 1, with: .dom0, access: .readWrite, notification: nil)
            let page = share.references.granted(by: guest.id)
            let mappings = try kinds.map {
                try back.grants.map(page, access: $0, notification: nil)
            }
            for index in order {
                #expect(code { () throws(GrantError) in try front.grants.unshare(share) } == .inUse)
                try back.grants.unmap(mappings[index])
            }
            try front.grants.unshare(share)
        }
        try hypervisor.assertCleanedUp()
    }

    /// The kill and the destruction free what the owners still hold; they come to free it too, in every order.
    @Test("XSA-233: a domain that goes and owners that let go free everything once, in any order")
    func everyOrderOfEnds() throws {
        enum End: CaseIterable { case mapping, share, mapper, granter, domain }
        for order in permutations(End.allCases) {
            let hypervisor = MockHypervisor()
            let guest = hypervisor.domain(DomainID(3))
            let front = guest.startProcess(name: "front")
            let back = hypervisor.domain(.dom0).startProcess(name: "back")
            let frontGrants = GrantTable(front.grants)
            let backGrants = GrantTable(back.grants)
            var share: GrantShare? = try frontGrants.share(pageCount: 2, with: .dom0)
            var mapping: GrantMapping?
            mapping = try backGrants.map(share?.references ?? [], of: guest.id)
            for end in order {
                switch end {
                case .mapping: mapping = nil
                case .share: share = nil
                case .mapper: back.kill()
                case .granter: front.kill()
                case .domain: hypervisor.destroy(guest)
                }
            }
            #expect(mapping == nil && share == nil)
            frontGrants.sweepQuarantine()
            #expect(frontGrants.accounts.total == .none, "\(order)")
            #expect(backGrants.accounts.total == .none, "\(order)")
            #expect(hypervisor.leaks() == [], "\(order)")
        }
    }
}

// A failed map is the peer's behaviour, never an assertion.
extension GrantAdvisoryTests {
    @Test("XSA-361: a batch of which any page is bad leaves none of it mapped", arguments: 0..<5)
    func failedBatches(badIndex: Int) throws {
        let share = try frontGrants.share(pageCount: 5, with: .dom0)
        var pages = share.references.granted(by: guest.id)
        pages[badIndex].reference = GrantReference(4000)
        let grants = backGrants
        #expect(code { () throws(GrantError) in try grants.map(pages).close() } == .badReference)
        #expect(grants.accounts.total == .none)
        // Nothing is mapped: else this would throw.
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test("XSA-362: whatever page a peer names, mapping it is done or refused with a typed error")
    func everyKindOfBadPage() throws {
        let share = try frontGrants.share(pageCount: 1, with: .dom0, access: .readOnly)
        let strange = try frontGrants.share(pageCount: 1, with: DomainID(9))
        let revoked = try frontGrants.share(pageCount: 1, with: .dom0)
        let gone = revoked.references[0]
        try revoked.close()
        let references =
            [share.references[0], strange.references[0], gone]
            + [0, 1, 7, 511, 512, 1 << 16, 1 << 31, .max].map { GrantReference($0) }
        let domains = [0, 3, 4, 9, 0x7FEF, 0x7FF0, 0x7FF1, 0x7FFF, .max].map { DomainID($0) }
        for page in domains.flatMap({ references.granted(by: $0) }) {
            for access in [GrantAccess.readOnly, .readWrite] {
                let isGood =
                    page == GrantedPage(share.references[0], of: guest.id) && access == .readOnly
                let outcome = code { () throws(GrantError) in
                    try backGrants.map([page], access: access).close()
                }
                #expect(outcome == (isGood ? nil : .badReference), "\(page), \(access)")
            }
        }
        try strange.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test("XSA-365: a request that fails half way leaves a cache of mappings whole")
    func failedRequests() throws {
        let share = try frontGrants.share(pageCount: 4, with: .dom0)
        for page in 0..<4 { share.store([UInt8(page)], at: page * Page.byteCount) }
        let good = share.references.granted(by: guest.id)
        let bad = GrantedPage(GrantReference(4000), of: guest.id)
        let grants = backGrants
        var cache = GrantMappingCache(grants, pageLimit: 4)
        for index in 0..<4 {
            var pages = good
            pages[index] = bad
            #expect(throws: GrantError.self) { try cache.withPages(pages) { _ in } }
            #expect(grants.accounts.total.mapped == cache.pageCount)
            let bytes = try cache.withPages(good) { $0.map { $0.bytes(at: 0, count: 1)[0] } }
            #expect(bytes == [0, 1, 2, 3])
        }
        try cache.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }
}

// Persistent grants, and grants that a peer keeps.
extension GrantAdvisoryTests {
    /// Every way out of a scope that has both pools full: to its end, by an error, by the death of either process.
    @Test("XSA-371: persistent grants are released on every way out", arguments: 0..<5)
    func everyWayOut(way: Int) throws {
        struct Oops: Error {}
        let (frontGrants, backGrants) = (self.frontGrants, self.backGrants)
        func serve() throws {
            let pool = GrantPool(frontGrants, peer: .dom0, pageLimit: 3)
            var cache = GrantMappingCache(backGrants, pageLimit: 2)
            let loan = try pool.lend(pageCount: 3)
            for reference in loan.references {
                try cache.withPages([GrantedPage(reference, of: guest.id)]) { _ in }
            }
            #expect(backGrants.accounts.total.mapped == 2)
            switch way {
            case 0: break
            case 1: throw Oops()
            case 2: try cache.withPages([GrantedPage(GrantReference(4000), of: guest.id)]) { _ in }
            case 3: back.kill()
            default: front.kill()
            }
            loan.giveBack()
        }
        try? serve()
        frontGrants.sweepQuarantine()
        #expect(frontGrants.accounts.total == .none)
        #expect(backGrants.accounts.total == .none)
        try hypervisor.assertCleanedUp()
    }

    @Test("XSA-396: pages that a peer still maps are never used again before it has let go")
    func pagesThatAreStillMapped() throws {
        let grants = frontGrants
        let share = try grants.share(pageCount: 2, with: .dom0)
        let references = share.references
        let mapping = try backGrants.map(references, of: guest.id)
        let outcome = closing(share)
        #expect(outcome == .inUse)
        #expect(grants.quarantinedPageCount == 2)
        for _ in 0..<20 {
            let other = try grants.share(pageCount: 3, with: DomainID(5))
            #expect(Set(other.references).isDisjoint(with: references))
            // The old peer writes where it still can, and nobody else sees it.
            mapping.store([UInt8](repeating: 0xEE, count: mapping.byteCount), at: 0)
            let bytes = other.bytes(at: 0, count: other.byteCount)
            #expect(bytes.allSatisfy { $0 == 0 })
            other.store([UInt8](repeating: 0xAA, count: other.byteCount), at: 0)
            let seen = mapping.bytes(at: 0, count: mapping.byteCount)
            #expect(seen.allSatisfy { $0 == 0xEE })
            try other.close()
        }
        try mapping.close()
        #expect(grants.sweepQuarantine() == 0)
        try hypervisor.assertCleanedUp()
    }

    @Test("XSA-396: a failed end of access is told, and counted, once for each share")
    func failedEndsAreTold() throws {
        let heard = GrantQuarantineTests.Heard()
        let grants = GrantTable(front.grants, onQuarantine: { heard.note($0) })
        let pool = GrantPool(grants, peer: .dom0, pageLimit: 2)
        let loan = try pool.lend(pageCount: 2)
        let mapping = try backGrants.map(loan.references, of: guest.id)
        loan.giveBack()
        _ = consume pool
        for _ in 0..<5 { grants.sweepQuarantine() }
        #expect(heard.take().count == 2)
        #expect(grants.accounts.refusedRevocationCount == 2)
        try mapping.close()
        grants.sweepQuarantine()
        #expect(heard.take().count == 2)
        try hypervisor.assertCleanedUp()
    }

    /// Whatever lay in a page: of an older share, of a pool, of one that was in quarantine.
    @Test("XSA-403: every page is zero from end to end when it is granted")
    func pagesAreZeroWhenGranted() throws {
        let grants = frontGrants
        let dirt = [UInt8](repeating: 0xD1, count: Page.byteCount)
        for round in 0..<5 {
            let share = try grants.share(pageCount: 3, with: .dom0)
            let clean = share.bytes(at: 0, count: share.byteCount)
            #expect(clean.allSatisfy { $0 == 0 }, "round \(round)")
            for page in 0..<3 { share.store(dirt, at: page * Page.byteCount) }
            let mapping = try backGrants.map(share.references, of: guest.id)
            _ = consume share
            mapping.store(dirt, at: 0)
            try mapping.close()
            grants.sweepQuarantine()

            let pool = GrantPool(grants, peer: DomainID(5 + UInt16(round)), pageLimit: 4)
            let loan = try pool.lend(pageCount: 4)
            for page in 0..<4 {
                let bytes = loan.bytes(at: 0, count: Page.byteCount, ofPage: page)
                #expect(bytes.allSatisfy { $0 == 0 }, "round \(round)")
                loan.store(dirt, at: 0, ofPage: page)
            }
            loan.giveBack()
        }
        try hypervisor.assertCleanedUp()
    }
}

// Numbers that a peer chose.
extension GrantAdvisoryTests {
    @Test(
        "XSA-38, XSA-86: offsets and lengths of a peer never reach beyond the page, and never trap")
    func rangesOfAPeer() throws {
        let share = try frontGrants.share(pageCount: 3, with: .dom0)
        share.store([UInt8](repeating: 7, count: share.byteCount), at: 0)
        let local = try backGrants.share(pageCount: 2, with: .dom0)
        let edges = [Int.min, -4096, -1, 0, 1, 2048, 4095, 4096, 4097, 8192, .max - 1, .max]
        for offset in edges {
            for count in [0, 1, 2048, 4095, 4096, 4097, 8192] {
                local.store([UInt8](repeating: 0, count: local.byteCount), at: 0)
                let place = GrantLocation(share.references[1], of: guest.id, offset: offset)
                let target = unsafe local.memory.slice(offset: 0, byteCount: count)
                let status = try backGrants.copy([.read(place, into: target)], until: .now)[0]
                let fits = offset >= 0 && offset <= 4096 && count <= 4096 - offset
                #expect(status == (fits ? .done : .outsidePage), "\(count) bytes from \(offset)")
                let copied = local.bytes(at: 0, count: local.byteCount).count { $0 == 7 }
                #expect(copied == (fits ? count : 0), "\(count) bytes from \(offset)")
            }
        }
        try local.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }
}

/// The code with which this fails, nil if it does not.
private func code(_ body: () throws(GrantError) -> Void) -> GrantError.Code? {
    do throws(GrantError) {
        try body()
        return nil
    } catch {
        return error.code
    }
}

private func closing(_ share: consuming GrantShare) -> GrantError.Code? {
    do throws(GrantError) {
        try share.close()
        return nil
    } catch {
        return error.code
    }
}

private func permutations<T>(_ items: [T]) -> [[T]] {
    guard let first = items.first else { return [[]] }
    return permutations(Array(items.dropFirst())).flatMap { rest in
        (0...rest.count).map { index in
            var order = rest
            order.insert(first, at: index)
            return order
        }
    }
}
