import Testing
import XenCore
import XenEvtchn
import XenMock

/// Xen's rules for virtual interrupts (`evtchn_bind_virq()` in xen/common/event_channel.c), on the mock.
@Suite struct VirtualInterruptTests {
    let hypervisor = MockHypervisor()
    let dom0: MockDomain
    let guest: MockDomain
    let toolstack: MockProcess
    let agent: MockProcess

    init() {
        dom0 = hypervisor.domain(.dom0)
        guest = hypervisor.domain(DomainID(3))
        toolstack = dom0.startProcess(name: "toolstack")
        agent = guest.startProcess(name: "agent")
    }

    @Test func numbersScopesAndNamesAreThoseOfXen() {
        let table: [(VirtualInterrupt, UInt32, VirtualInterrupt.Scope, String)] = [
            (.timer, 0, .processor, "VIRQ_TIMER"), (.debug, 1, .processor, "VIRQ_DEBUG"),
            (.console, 2, .global, "VIRQ_CONSOLE"), (.domainException, 3, .global, "VIRQ_DOM_EXC"),
            (.traceBuffer, 4, .global, "VIRQ_TBUF"), (.debugger, 6, .global, "VIRQ_DEBUGGER"),
            (.profiler, 7, .processor, "VIRQ_XENOPROF"),
            (.consoleRing, 8, .global, "VIRQ_CON_RING"),
            (.processorState, 9, .global, "VIRQ_PCPU_STATE"),
            (.memoryEvent, 10, .global, "VIRQ_MEM_EVENT"), (.argo, 11, .domain, "VIRQ_ARGO"),
            (.lowMemory, 12, .global, "VIRQ_ENOMEM"),
            (.performanceCounter, 13, .processor, "VIRQ_XENPMU"),
            (.architecture(0), 16, .global, "VIRQ_ARCH_0"),
            (.architecture(7), 23, .global, "VIRQ_ARCH_7"),
        ]
        for (interrupt, number, scope, name) in table {
            #expect(interrupt.rawValue == number)
            #expect(interrupt.scope == scope)
            #expect("\(interrupt)" == name)
        }
        #expect(VirtualInterrupt(rawValue: 24).scope == nil)
        #expect(VirtualInterrupt(rawValue: .max).scope == nil)
        #expect("\(VirtualInterrupt(rawValue: 24))" == "VIRQ 24")
    }

    @Test func eachDomainBindsThoseOfItsProcessors() throws {
        let ours = try EventChannels(toolstack.events).bindVirtualInterrupt(.profiler)
        let theirs = try EventChannels(agent.events).bindVirtualInterrupt(.profiler)
        #expect(guest.raise(.profiler))
        #expect(try toolstack.events.nextPending(until: .now) == nil)
        #expect(try agent.events.nextPending(until: .now) == theirs.port)
        try ours.close()
        try theirs.close()
        #expect(!guest.raise(.profiler))
        try hypervisor.assertCleanedUp()
    }

    @Test func globalOnesAreForDom0() throws {
        let channel = try EventChannels(toolstack.events).bindVirtualInterrupt(.domainException)
        let error = try #require(throws: EventChannelError.self) {
            try agent.events.bindVirtualInterrupt(.domainException)
        }
        #expect(error.code == .handledElsewhere)
        #expect(error.errorNumber == .busy)
        #expect(dom0.raise(.domainException))
        #expect(try toolstack.events.nextPending(until: .now) == channel.port)
        // Ringing it from this end goes nowhere.
        try channel.notify()
        try channel.close()
        try hypervisor.assertCleanedUp()
    }

    @Test func oneHandlerInADomainUntilItCloses() throws {
        let sibling = guest.startProcess(name: "sibling")
        let port = try agent.events.bindVirtualInterrupt(.argo)
        for process in [agent, sibling] {
            let error = try #require(throws: EventChannelError.self) {
                try process.events.bindVirtualInterrupt(.argo)
            }
            #expect(error.code == .alreadyBound)
            #expect(error.errorNumber == .exists)
        }
        #expect(
            hypervisor.leaks().map(\.description)
                == ["domain 3, process 'agent': port 1 for VIRQ_ARGO"])
        try agent.events.unbind(port)
        let next = try sibling.events.bindVirtualInterrupt(.argo)
        #expect(guest.raise(.argo))
        #expect(try sibling.events.nextPending(until: .now) == next)
        sibling.kill()
        #expect(!guest.raise(.argo))
        try hypervisor.assertCleanedUp()
    }

    @Test func numbersThatNameNone() throws {
        for number: UInt32 in [24, 1 << 16, .max] {
            let error = try #require(throws: EventChannelError.self) {
                try toolstack.events.bindVirtualInterrupt(VirtualInterrupt(rawValue: number))
            }
            #expect(error.code == .refused)
            #expect(error.errorNumber == .invalid)
        }
    }

    @Test func raisingIntoAnEndedLifeRingsNobody() throws {
        let port = try agent.events.bindVirtualInterrupt(.argo)
        hypervisor.destroy(guest)
        let heir = hypervisor.domain(guest.id)
        let process = heir.startProcess(name: "heir")
        #expect(try process.events.bindVirtualInterrupt(.argo) == port)
        #expect(!guest.raise(.argo))
        #expect(try process.events.nextPending(until: .now) == nil)
        #expect(heir.raise(.argo))
        #expect(try process.events.nextPending(until: .now) == port)
    }
}
