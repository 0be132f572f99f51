import Foundation
import MockStage
import Testing
import XenCore
import XenEvtchn
import XenGrant
import XenMock

/// That the mock refuses what Xen and Linux refuse, with their errno, at every edge.
@Suite struct MockStrictnessTests: OnMockStage {
    let stage = MockStage()

    @Test(arguments: [0, 1, 7, 9, 1 << 31, .max - 1, .max] as [UInt32])
    func unknownReference(_ number: UInt32) throws {
        let share = try GrantTable(front.grants).share(pageCount: 1, with: .dom0)
        #expect(share.references == [GrantReference(8)])
        let error = try #require(throws: GrantError.self) {
            try GrantTable(back.grants).map([GrantReference(number)], of: guest.id).close()
        }
        #expect(error.code == .badReference)
        #expect(error.errorNumber == .invalid)
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test(arguments: [0, 2, 1022, 1023, 1024, 1 << 31, .max - 1, .max] as [UInt32])
    func unknownPort(_ number: UInt32) throws {
        #expect(try front.events.bindUnbound(for: .dom0) == EventPort(1))
        let port = EventPort(number)
        let unbindable = try #require(throws: EventChannelError.self) {
            try back.events.bindInterdomain(to: port, of: guest.id)
        }
        #expect(unbindable.code == .badRemotePort)
        #expect(unbindable.errorNumber == .invalid)
        let silent = try #require(throws: EventChannelError.self) { try front.events.notify(port) }
        #expect(silent.code == .badPort)
        #expect(silent.errorNumber == .notConnected)
        #expect(throws: EventChannelError.self) { try front.events.unbind(port) }
        try front.events.unmask(port)
    }

    @Test func portOfAnotherHandleOfTheSameDomain() throws {
        let sibling = guest.startProcess(name: "sibling")
        let port = try front.events.bindUnbound(for: .dom0)
        let error = try #require(throws: EventChannelError.self) { try sibling.events.notify(port) }
        #expect(error.errorNumber == .notConnected)
        #expect(throws: EventChannelError.self) { try sibling.events.unbind(port) }
        try front.events.unbind(port)
        try hypervisor.assertCleanedUp()
    }

    @Test func copiesFailWithXensCodes() throws {
        let share = try GrantTable(front.grants).share(
            pageCount: 1, with: .dom0, access: .readOnly)
        let foreign = try GrantTable(front.grants).share(pageCount: 1, with: DomainID(9))
        let revoked = try GrantTable(front.grants).share(pageCount: 1, with: .dom0)
        let gone = revoked.references[0]
        try revoked.close()
        let local = try GrantTable(back.grants).share(pageCount: 1, with: .dom0)
        let grants = GrantTable(back.grants)
        let byte = unsafe local.memory.slice(offset: 0, byteCount: 1)
        func read(_ reference: GrantReference, of domain: DomainID) -> GrantCopySegment {
            .read(GrantLocation(reference, of: domain), into: byte)
        }
        let statuses = try grants.copy(
            [
                read(share.references[0], of: guest.id),
                .write(byte, to: GrantLocation(share.references[0], of: guest.id)),
                read(foreign.references[0], of: guest.id), read(gone, of: guest.id),
                read(GrantReference(0), of: guest.id), read(GrantReference(511), of: guest.id),
                read(GrantReference(512), of: guest.id), read(GrantReference(.max), of: guest.id),
                read(share.references[0], of: DomainID(77)),
            ], until: .now)
        #expect(
            statuses == [
                .done, .failed, .failed, .failed, .failed, .failed, .badReference, .badReference,
                .badDomain,
            ])
        try local.close()
        try foreign.close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func grantOrMappingOfAnotherProcess() throws {
        let sibling = guest.startProcess(name: "sibling")
        let share = try front.grants.share(
            pageCount: 1, with: .dom0, access: .readWrite, notification: nil)
        let mapping = try back.grants.map(
            share.references.granted(by: guest.id), access: .readWrite, notification: nil)
        #expect(throws: GrantError.self) { try sibling.grants.unshare(share) }
        #expect(throws: GrantError.self) { try sibling.grants.unmap(mapping) }
        try back.grants.unmap(mapping)
        try front.grants.unshare(share)
        try hypervisor.assertCleanedUp()
    }

    @Test func revokingWhatIsMappedChangesNothing() throws {
        let share = try front.grants.share(
            pageCount: 2, with: .dom0, access: .readWrite, notification: nil)
        let mapping = try back.grants.map(
            [share.references[1]].granted(by: guest.id), access: .readWrite, notification: nil)
        let error = try #require(throws: GrantError.self) { try front.grants.unshare(share) }
        #expect(error.code == .inUse)
        #expect(error.errorNumber == .busy)
        let again = try back.grants.map(
            share.references.granted(by: guest.id), access: .readWrite, notification: nil)
        try back.grants.unmap(again)
        try back.grants.unmap(mapping)
        try front.grants.unshare(share)
        try hypervisor.assertCleanedUp()
    }

    @Test func mappingsAreRealAndProtected() throws {
        let share = try GrantTable(front.grants).share(pageCount: 2, with: .dom0)
        let table = GrantTable(back.grants)
        let readable = try table.map(share.references, of: guest.id, access: .readOnly)
        let writable = try table.map(share.references.reversed(), of: guest.id)
        let addresses = unsafe [readable.memory.baseAddress, writable.memory.baseAddress]
            .map { UInt(bitPattern: $0) }
        for page in 0..<2 {
            let offset = UInt(page * Page.byteCount)
            #expect(try protection(of: addresses[0] + offset) == "r--s")
            #expect(try protection(of: addresses[1] + offset) == "rw-s")
        }
        try readable.close()
        try writable.close()
        #expect(try protection(of: addresses[0]) != "r--s")
        #expect(try protection(of: addresses[1]) != "rw-s")
        try share.close()
    }

    @Test func writingThroughAReadOnlyMappingFaults() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            let hypervisor = MockHypervisor()
            let front = hypervisor.domain(DomainID(3)).startProcess(name: "front")
            let share = try GrantTable(front.grants).share(
                pageCount: 1, with: DomainID(3), access: .readOnly)
            share.store([1], at: 0)
            let mapping = try GrantTable(front.grants).map(
                share.references, of: DomainID(3), access: .readOnly)
            mapping.store([2], at: 0)
        }
    }

    @Test func unmappedAddressFaults() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            let hypervisor = MockHypervisor()
            let front = hypervisor.domain(DomainID(3)).startProcess(name: "front")
            let share = try GrantTable(front.grants).share(pageCount: 1, with: DomainID(3))
            let mapping = try GrantTable(front.grants).map(share.references, of: DomainID(3))
            // The mistake that must not pass unseen: a view that outlives its mapping.
            let view = unsafe mapping.memory
            try mapping.close()
            _ = view.bytes(at: 0, count: 1)
        }
    }

    /// What /proc/self/maps says of the page at an address: nil when nothing is there.
    private func protection(of address: UInt) throws -> String? {
        let file = try #require(FileHandle(forReadingAtPath: "/proc/self/maps"))
        let maps = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        for line in maps.split(separator: "\n") where line.contains("memfd:xen-mock") {
            let fields = line.split(separator: " ")
            let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            if bounds[0] <= address, address < bounds[1] { return String(fields[1]) }
        }
        return nil
    }
}
