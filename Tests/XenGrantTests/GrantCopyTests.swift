import MockStage
import Testing
import XenCore
import XenGrant
import XenMock

/// What `GrantTable.copy` adds to its back end: parts, patience, and ranges that leave their page.
@Suite struct GrantCopyTests: OnMockStage {
    let stage = MockStage()

    @Test func whatMustWaitIsTriedAgainUntilItIsDone() throws {
        let backend = HesitantGrants(back.grants, copyHesitation: 3)
        let share = try GrantTable(front.grants).share(pageCount: 1, with: .dom0)
        share.store([1, 2, 3, 4], at: 0)
        let statuses = try copyFourBytes(
            GrantTable(backend), share.references[0], until: .after(.seconds(30)))
        #expect(statuses == [.done, .done, .done, .done])
        // Even segments hesitate; the others are asked for once.
        #expect(backend.copiedCounts == [4, 2, 2, 2])
        try share.close()
    }

    @Test func afterTheDeadlineTheStatusSaysSo() throws {
        let backend = HesitantGrants(back.grants, copyHesitation: .max)
        let share = try GrantTable(front.grants).share(pageCount: 1, with: .dom0)
        let grants = GrantTable(backend)
        #expect(
            try copyFourBytes(grants, share.references[0], until: .now)
                == [.again, .done, .again, .done])
        #expect(backend.copiedCounts == [4])
        #expect(
            try copyFourBytes(grants, share.references[0], until: .after(.milliseconds(20)))
                .failedIndices == [0, 2])
        try share.close()
    }

    @Test(arguments: [0, 1, 255, 256, 257, 1000])
    func manySegmentsGoInSeveralCalls(count: Int) throws {
        let backend = HesitantGrants(back.grants, copyHesitation: 0)
        let share = try GrantTable(front.grants).share(pageCount: 1, with: .dom0)
        let place = GrantLocation(share.references[0], of: DomainID(3))
        let byte = unsafe share.memory.slice(offset: 0, byteCount: 1)
        let statuses = try GrantTable(backend).copy(
            (0..<count).map { _ in .read(place, into: byte) }, until: .now)
        #expect(statuses == [GrantCopyStatus](repeating: .done, count: count))
        #expect(backend.copiedCounts.allSatisfy { (1...256).contains($0) })
        #expect(backend.copiedCounts.reduce(0, +) == count)
        try share.close()
    }

    /// Whatever numbers a peer sends: a status, never a trap.
    @Test func onlyRangesWithinThePageReachTheBackEnd() throws {
        let share = try GrantTable(front.grants).share(pageCount: 1, with: .dom0)
        let edges = [Int.min, -1, 0, 1, 4095, 4096, 4097, 65536, Int.max]
        for offset in edges {
            for count in edges {
                let place = GrantLocation(share.references[0], of: DomainID(3), offset: offset)
                let start = GrantLocation(share.references[0], of: DomainID(3))
                let fits = offset >= 0 && offset <= 4096 && count >= 0 && count <= 4096 - offset
                let expected: GrantCopyStatus = fits ? .done : .outsidePage
                let statuses = try GrantTable(back.grants).copy(
                    [
                        .relay(place, to: start, byteCount: count),
                        .relay(start, to: place, byteCount: count),
                    ], until: .now)
                #expect(statuses == [expected, expected], "\(count) bytes from \(offset)")
            }
        }
        try share.close()
    }

    @Test func codesWithoutANameAreKept() {
        let statuses = [GrantCopyStatus.done, GrantCopyStatus(rawValue: -77), .badDomain]
        #expect(statuses.description == "[done, grant status -77, bad domain]")
        #expect(statuses.failedIndices == [1, 2])
    }

    private func copyFourBytes(
        _ grants: GrantTable, _ reference: GrantReference, until deadline: Deadline
    ) throws -> [GrantCopyStatus] {
        let local = try GrantTable(back.grants).share(pageCount: 1, with: .dom0)
        let memory = unsafe local.memory
        let statuses = try grants.copy(
            (0..<4).map { index in
                .read(
                    GrantLocation(reference, of: DomainID(3), offset: index),
                    into: memory.slice(offset: index, byteCount: 1))
            }, until: deadline)
        try local.close()
        return statuses
    }
}
