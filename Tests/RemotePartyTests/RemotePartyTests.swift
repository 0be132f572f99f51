import RemoteParties
import Synchronization
import Testing
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenSystem
import XenTesting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a party elsewhere must do beyond passing the suites.
@Suite struct RemotePartyTests {
    /// Each kind of thing that a check can forget, at either party.
    enum Forgotten: CaseIterable {
        case share, mapping, port
    }

    @Test(arguments: Forgotten.allCases, [true, false])
    func aCheckThatForgetsSomethingFails(forgotten: Forgotten, isLeft: Bool) throws {
        let stage = MockedRemote(here: .dom0, there: DomainID(7))
        let attic = Attic()
        let check = ConformanceCheck("forgets") { host in
            let (party, other) = isLeft ? (host.left, host.right) : (host.right, host.left)
            switch forgotten {
            case .share: attic.keep(try party.grants.share(pageCount: 1, with: other.domain))
            case .mapping:
                let share = try other.grants.share(pageCount: 1, with: party.domain)
                attic.keep(try party.grants.map(share.references, of: other.domain))
                // What is mapped cannot be let go of: the other party keeps it.
                attic.keep(share)
            case .port: attic.keep(try party.events.bindUnbound(for: other.domain))
            }
        }
        try stage.run { remote in
            let left = stage.handles(in: .dom0, "left")
            try remote.withParty { right in
                let failure = #expect(throws: ConformanceFailure.self) {
                    try check.run(
                        ConformanceHost(
                            left: ConformanceParty(
                                domain: .dom0, grants: left.grants, events: left.events),
                            right: right))
                }
                let party = isLeft || forgotten == .mapping ? "left" : "right"
                #expect(failure?.description.contains("the \(party) party still holds") == true)
                attic.clear()
            }
        }
    }

    /// A failure is the same here as there: its code, the kernel's word, the text.
    @Test func aFailureKeepsItsContext() throws {
        let stage = MockedRemote(here: .dom0, there: DomainID(7))
        try stage.run { remote in
            try remote.withParty { far in
                let near = stage.handles(in: DomainID(7), "near")
                let reference = GrantReference(12345)
                let here = grantFailure { () throws(GrantError) in
                    try GrantTable(near.grants).map([reference], of: .dom0).close()
                }
                let there = grantFailure { () throws(GrantError) in
                    try far.grants.map([reference], of: .dom0).close()
                }
                #expect(here != nil)
                #expect(there == here)
                let nearEvents = EventChannels(near.events)
                let port = EventPort(4000)
                let hereToo = eventFailure { () throws(EventChannelError) in
                    try nearEvents.bindInterdomain(to: port, of: .dom0).close()
                }
                let thereToo = eventFailure { () throws(EventChannelError) in
                    try far.events.bindInterdomain(to: port, of: .dom0).close()
                }
                #expect(hereToo != nil)
                #expect(thereToo == hereToo)
            }
        }
    }

    /// A wait that is under way in a domain that dies ends at once, and so does every call after it.
    @Test func aLostPeerEndsWaitsAndCalls() throws {
        let stage = MockedRemote(here: .dom0, there: DomainID(7))
        let (front, back) = try stage.link()
        let server = PartyServer(over: front) {
            stage.handles(in: DomainID(7), "party")
        } hold: {
            try MockHolder($0, stage.hypervisor.domain(DomainID(7)).startProcess(name: "holder"))
        }
        let serving = try PlatformThread { try? server.serve(until: .after(.seconds(60))) }
        let remote = try RemoteDomain(DomainID(7), over: back, patience: .seconds(60))
        try remote.withParty { party in
            let killer = try PlatformThread {
                try? pause(.milliseconds(20))
                stage.killLinkProcess(in: DomainID(7))
            }
            let wait = eventFailure { () throws(EventChannelError) in
                _ = try party.events.wait(until: .after(.seconds(600)))
            }
            #expect(wait?.code == .unavailable)
            #expect(wait?.message == "nextPending: the other end is gone")
            let call = grantFailure { () throws(GrantError) in
                try party.grants.share(pageCount: 1, with: .dom0).close()
            }
            #expect(call?.code == .unavailable)
            #expect(call?.message == "share: the other end is gone")
            killer.join()
        }
        try? remote.close(until: .after(.seconds(30)))
        serving.join()
    }

    /// A check that does not go through its party is stopped: it cannot pass on bytes of its own.
    @Test func memoryElsewhereIsNotTouchedHere() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            let stage = MockedRemote(here: .dom0, there: DomainID(7))
            try stage.run { remote in
                try remote.withParty { party in
                    let share = try party.grants.share(pageCount: 1, with: .dom0)
                    share.store([1], at: 0)
                }
            }
        }
    }

    private func grantFailure(_ action: () throws(GrantError) -> Void) -> GrantError? {
        do {
            try action()
            return nil
        } catch {
            return error
        }
    }

    private func eventFailure(
        _ action: () throws(EventChannelError) -> Void
    ) -> EventChannelError? {
        do {
            try action()
            return nil
        } catch {
            return error
        }
    }
}

/// Where a check leaves what it forgets.
private final class Attic: Sendable {
    private let share = Mutex<GrantShare?>(nil)
    private let mapping = Mutex<GrantMapping?>(nil)
    private let port = Mutex<EventChannel?>(nil)

    func keep(_ kept: consuming GrantShare) {
        var kept: GrantShare? = consume kept
        share.withLock { swap(&$0, &kept) }
    }

    func keep(_ kept: consuming GrantMapping) {
        var kept: GrantMapping? = consume kept
        mapping.withLock { swap(&$0, &kept) }
    }

    func keep(_ kept: consuming EventChannel) {
        var kept: EventChannel? = consume kept
        port.withLock { swap(&$0, &kept) }
    }

    func clear() {
        mapping.withLock { $0 = nil }
        share.withLock { $0 = nil }
        port.withLock { $0 = nil }
    }
}
