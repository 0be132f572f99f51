import Synchronization
import Testing
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenSystem

/// Several threads at once, some of them killed in mid-work: nothing hangs, crashes or leaks.
@Suite struct MockStressTests {
    @Test(arguments: 1...4)
    func threadsShareMapRingAndDie(attempt: Int) throws {
        let hypervisor = MockHypervisor()
        let dom0 = hypervisor.domain(.dom0)
        let guest = hypervisor.domain(DomainID(3))
        let offers = Offers()
        var threads: [Worker] = []
        for number in 0..<4 {
            let sharer = guest.startProcess(name: "sharer \(number)")
            let mapper = dom0.startProcess(name: "mapper \(number)")
            threads.append(try Worker { share(from: sharer, offers) })
            threads.append(try Worker { map(in: mapper, of: guest.id, offers) })
            if number == 0 { threads.append(try Worker { pauseThenKill(sharer) }) }
            if number == 1 { threads.append(try Worker { pauseThenKill(mapper) }) }
        }
        for thread in threads { thread.join() }
        try hypervisor.assertCleanedUp()
    }
}

/// What sharers offer and mappers take.
private final class Offers: Sendable {
    private let offers = Mutex<[(GrantReference, EventPort)]>([])
    func add(_ reference: GrantReference, _ port: EventPort) {
        offers.withLock { $0.append((reference, port)) }
    }
    func take() -> (GrantReference, EventPort)? { offers.withLock { $0.popLast() } }
}

private func share(from process: MockProcess, _ offers: Offers) {
    let grants = GrantTable(process.grants)
    let events = EventChannels(process.events)
    for round in 0..<200 {
        guard let share = try? grants.share(pageCount: 1 + (round % 3), with: .dom0),
            let channel = try? events.bindUnbound(for: .dom0)
        else { return }
        share.store([1], at: round)
        offers.add(share.references[0], channel.port)
        if let event = try? events.wait(until: .after(.microseconds(200))) { try? event.unmask() }
        try? channel.notify()
    }
    while grants.sweepQuarantine() > 0 { _ = try? events.wait(until: .after(.milliseconds(1))) }
}

private func map(in process: MockProcess, of domain: DomainID, _ offers: Offers) {
    let grants = GrantTable(process.grants)
    let events = EventChannels(process.events)
    for _ in 0..<400 {
        guard let (reference, port) = offers.take() else {
            _ = try? events.wait(until: .after(.microseconds(100)))
            continue
        }
        guard let channel = try? events.bindInterdomain(to: port, of: domain),
            let mapping = try? grants.map(
                [reference], of: domain,
                notification: UnmapNotification(clearByte: 0, notifyPort: channel.port))
        else { continue }
        _ = mapping.bytes(at: 0, count: Page.byteCount)
        try? channel.notify()
    }
}

private func pauseThenKill(_ process: MockProcess) {
    try? pause(.milliseconds(5))
    process.kill()
}

/// A thread in an array, which can hold copyable values only.
private final class Worker: Sendable {
    private let thread: Mutex<PlatformThread?>

    init(_ body: @escaping @Sendable () -> Void) throws {
        thread = Mutex(try PlatformThread(body))
    }

    func join() {
        let taken = thread.withLock { $0.take() }
        taken?.join()
    }
}
