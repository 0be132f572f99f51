import MockStage
import Testing
import XenCore
import XenEvtchn
import XenGrant
import XenMock

/// What a mock that misbehaves does, one fault at a time, and that it does nothing else.
@Suite struct MockFaultTests: OnMockStage {
    let stage = MockStage()

    struct Line: ~Copyable {
        let front: EventChannel
        let back: EventChannel

        consuming func close() throws {
            try front.close()
            try back.close()
        }
    }

    /// A channel from the front to the back, with the event of binding taken.
    func line() throws -> Line {
        let port = try EventChannels(front.events).bindUnbound(for: .dom0)
        let bound = try EventChannels(back.events)
            .bindInterdomain(to: port.port, of: DomainID(3))
        try takeEvent()
        return Line(front: port, back: bound)
    }

    func takeEvent() throws {
        guard let event = try EventChannels(back.events).wait(until: .now) else {
            throw Missing()
        }
        try event.unmask()
    }

    struct Missing: Error {}

    func inject(_ fault: MockFault) {
        var faults = MockFaults()
        faults[fault] = 1
        hypervisor.inject(faults, seed: 1)
    }

    @Test func withoutProbabilitiesNothingHappens() throws {
        let line = try line()
        #expect(MockFault.allCases.allSatisfy { MockFaults()[$0] == 0 })
        hypervisor.inject(MockFaults()) { fault, _ in
            Issue.record("asked for \(fault)")
            return true
        }
        try line.front.notify()
        try takeEvent()
        let share = try GrantTable(front.grants).share(pageCount: 2, with: .dom0)
        try GrantTable(back.grants)
            .map(share.references, of: DomainID(3), until: .now).close()
        try share.close()
        try line.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func aNotificationIsLost() throws {
        let line = try line()
        inject(.lost)
        try line.front.notify()
        #expect(!back.hasPendingEvent)
        hypervisor.stopFaults()
        #expect(!back.hasPendingEvent)
        try line.front.notify()
        #expect(back.hasPendingEvent)
        try takeEvent()
        try line.close()
    }

    @Test func notificationsAreDelayedAndMerged() throws {
        let line = try line()
        inject(.delayed)
        for _ in 0..<3 { try line.front.notify() }
        #expect(hypervisor.delayedCount == 3)
        #expect(!back.hasPendingEvent)
        inject(.merged)
        try line.front.notify()
        #expect(hypervisor.delayedCount == 3)
        #expect(hypervisor.deliverDelayed(1) == 1)
        try takeEvent()
        #expect(!back.hasPendingEvent)
        #expect(hypervisor.deliverDelayed() == 2)
        try takeEvent()
        inject(.merged)
        // Nothing is on its way that it could join.
        try line.front.notify()
        try takeEvent()
        try line.close()
    }

    @Test func aDelayedNotificationDoesNotRingAnotherPortOfTheSameNumber() throws {
        let line = try line()
        let number = line.back.port
        inject(.delayed)
        try line.front.notify()
        hypervisor.inject(MockFaults(), seed: 1)
        try line.back.close()
        let other = try EventChannels(back.events).bindUnbound(for: DomainID(3))
        #expect(other.port == number)
        hypervisor.stopFaults()
        #expect(!back.hasPendingEvent)
        try other.close()
        try line.front.close()
    }

    @Test func aNotificationIsRepeated() throws {
        let line = try line()
        inject(.repeated)
        try line.front.notify()
        try takeEvent()
        #expect(!back.hasPendingEvent)
        #expect(hypervisor.deliverDelayed() == 1)
        try takeEvent()
        #expect(!back.hasPendingEvent && hypervisor.delayedCount == 0)
        try line.close()
    }

    @Test(arguments: [
        (MockFault.mapAgain, GrantError.Code.again, ErrorNumber.again),
        (.mapInvalid, .badReference, .invalid),
    ])
    func mappingFails(fault: MockFault, code: GrantError.Code, number: ErrorNumber) throws {
        let share = try GrantTable(front.grants).share(pageCount: 1, with: .dom0)
        inject(fault)
        let error = #expect(throws: GrantError.self) {
            try GrantTable(back.grants)
                .map(share.references, of: DomainID(3), until: .now).close()
        }
        #expect(error?.code == code)
        #expect(error?.errorNumber == number)
        hypervisor.stopFaults()
        try GrantTable(back.grants)
            .map(share.references, of: DomainID(3), until: .now).close()
        try share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func aProcessDiesAtItsNextCall() throws {
        let share = try GrantTable(front.grants).share(pageCount: 1, with: .dom0)
        inject(.killed)
        #expect(back.isAlive && front.isAlive)
        let error = #expect(throws: EventChannelError.self) {
            try EventChannels(front.events).bindUnbound(for: .dom0).close()
        }
        #expect(error?.code == .unavailable)
        #expect(back.isAlive && !front.isAlive)
        try? share.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func aDomainIsDestroyedAndItsNumberUsedAgain() throws {
        let other = guest.startProcess(name: "other")
        inject(.destroyed)
        #expect(throws: GrantError.self) {
            try GrantTable(front.grants).share(pageCount: 1, with: .dom0).close()
        }
        #expect(!front.isAlive && !other.isAlive)
        // Dom0 stays.
        try EventChannels(back.events).bindUnbound(for: DomainID(3)).close()
        #expect(back.isAlive)
        hypervisor.stopFaults()
        let next = hypervisor.domain(DomainID(3)).startProcess(name: "front")
        #expect(next.isAlive && !front.isAlive)
    }

    @Test func theSameSeedDecidesTheSameWay() throws {
        func arrivals(seed: UInt64) throws -> [Bool] {
            let line = try self.line()
            var faults = MockFaults()
            faults.lost = 0.5
            hypervisor.inject(faults, seed: seed)
            let arrived = try (0..<64).map { _ in
                try line.front.notify()
                let hasArrived = back.hasPendingEvent
                if hasArrived { try takeEvent() }
                return hasArrived
            }
            hypervisor.stopFaults()
            try line.close()
            return arrived
        }
        let first = try arrivals(seed: 7)
        #expect(try arrivals(seed: 7) == first)
        #expect(try arrivals(seed: 8) != first)
        #expect((16...48).contains(first.count { $0 }))
    }

    @Test func aProcessMayWriteItsSharesAndWhatItMapsForWriting() throws {
        let (front, back) = (GrantTable(front.grants), GrantTable(back.grants))
        let share = try front.share(pageCount: 2, with: .dom0)
        let mapping = try back.map(share.references, of: DomainID(3))
        let view = try back.map(share.references, of: DomainID(3), access: .readOnly)
        for process in [self.front, self.back] {
            process.withWritableMemory { parts in
                #expect(parts.map(\.byteCount) == [8192])
                parts.first?.store([UInt8](process.name.utf8), at: 5000)
            }
            #expect(view.bytes(at: 5000, count: 4).elementsEqual(process.name.utf8.prefix(4)))
        }
        self.front.kill()
        self.front.withWritableMemory { #expect($0.isEmpty) }
        try mapping.close()
        try view.close()
        self.back.withWritableMemory { #expect($0.isEmpty) }
        try? share.close()
        try hypervisor.assertCleanedUp()
    }
}
